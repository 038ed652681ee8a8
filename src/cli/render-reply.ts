import { formatSocketAddress } from "../config/addresses.ts";
import * as dns from "../dns/constants.ts";
import { formatExtendedErrorCode, formatRcode, formatType } from "../dns/mnemonics.ts";
import type { SocketAddress } from "../base/socket-address.ts";
import type { Exchange, Question } from "./dns-exchange.ts";
import type { Resource } from "./format-resource.ts";
import { absolute, formatResource, printable } from "./format-resource.ts";

/** One reply in words: what both the text and the JSON output are made of. */
export interface LookupResult {
  readonly name: string;
  readonly type: string;
  /** As `statusOf` has it. */
  readonly status: string;
  /** Header flags as dig has them. */
  readonly flags: readonly string[];
  readonly extendedErrors: readonly {
    readonly code: number;
    readonly purpose: string;
    readonly text: string;
  }[];
  /** Records in presentation format. */
  readonly answer: readonly string[];
  readonly authority: readonly string[];
  readonly additional: readonly string[];
  /** Records that could not be read. */
  readonly damaged: readonly string[];
  readonly server: string;
  readonly transport: "udp" | "tcp";
  readonly octets: number;
  readonly timeMs: number;
}

export function describeReply(
  question: Question,
  { reply, transport, octets }: Exchange,
  server: SocketAddress,
  timeMs: number,
): LookupResult {
  const { header } = reply;
  const flags = (["aa", "tc", "rd", "ra"] as const).filter((flag) => header[flag] === 1);
  const options = reply.additionals.filter(isOpt).flatMap((opt) => opt.rdata ?? []);
  return {
    name: absolute(question.name),
    type: formatType(question.type),
    status: statusOf(reply),
    flags,
    extendedErrors: options.filter(isExtendedError).map(({ infoCode, extraText }) => {
      return { code: infoCode, purpose: formatExtendedErrorCode(infoCode), text: printable(extraText) };
    }),
    answer: reply.answers.map(formatResource),
    authority: reply.authorities.map(formatResource),
    additional: reply.additionals.filter((record) => !isOpt(record)).map(formatResource),
    damaged: reply.errors.map((error) => printable(error.message)),
    server: formatSocketAddress(server),
    transport,
    octets,
    timeMs: Math.round(timeMs * 10) / 10,
  };
}

/** The RCODE's name, or `NODATA` for NOERROR without an answer (RFC 2308 section 2.2). */
export function statusOf({ header, answers }: Exchange["reply"]): string {
  const isNoData = header.rcode === dns.RCODE_NOERROR && answers.length === 0;
  return isNoData ? "NODATA" : formatRcode(header.rcode);
}

/** Comments begin with `;;`, as in dig's output: what is left is a zone file. */
export function renderResult(result: LookupResult): string {
  const { name, type, status, flags, server, transport, octets, timeMs } = result;
  const lines = [
    `;; ${name} ${type}: ${status}, flags ${flags.join(" ") || "none"}, ${octets} octets in ${timeMs} ms from ${server} over ${transport}`,
  ];
  for (const { code, purpose, text } of result.extendedErrors)
    lines.push(`;; extended error ${code}, ${purpose}${text === "" ? "" : `: ${text}`}`);
  if (status === "REFUSED")
    lines.push(
      ";; the server does not serve this name; a full name ends in the zone, as in web.shop.svc.cluster.local",
    );
  lines.push(
    ...result.answer,
    ...titled("authority", result.authority),
    ...titled("additional", result.additional),
  );
  lines.push(...result.damaged.map((problem) => `;; a record could not be read: ${problem}`));
  return `${lines.join("\n")}\n`;
}

function titled(title: string, records: readonly string[]): readonly string[] {
  return records.length === 0 ? [] : [`;; ${title}`, ...records];
}

function isOpt(record: Resource): boolean {
  return record.type === dns.TYPE_OPT;
}

type EdnsOption = NonNullable<Resource["rdata"]>[number];

function isExtendedError(option: EdnsOption): option is EdnsOption & { infoCode: number; extraText: string } {
  return option.ednsCode === dns.OPTION_EDE;
}
