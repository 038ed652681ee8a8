import type { Packet } from "dns2";
import { formatSocketAddress } from "../config/addresses.ts";
import * as dns from "../dns/constants.ts";
import { formatClass, formatExtendedErrorCode, formatRcode, formatType } from "../dns/mnemonics.ts";
import type { SocketAddress } from "../base/socket-address.ts";
import type { Exchange, Question } from "./dns-exchange.ts";

/** One reply in words: what both the text and the JSON output are made of. */
export interface LookupResult {
  readonly name: string;
  readonly type: string;
  /** The RCODE's name, or `NODATA` for NOERROR without an answer (RFC 2308 section 2.2). */
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

type Resource = Packet["answers"][number];

export function describeReply(
  question: Question,
  { reply, transport, octets }: Exchange,
  server: SocketAddress,
  timeMs: number,
): LookupResult {
  const { header } = reply;
  const isNoData = header.rcode === dns.RCODE_NOERROR && reply.answers.length === 0;
  const flags = (["aa", "tc", "rd", "ra"] as const).filter((flag) => header[flag] === 1);
  const options = reply.additionals.filter(isOpt).flatMap((opt) => opt.rdata ?? []);
  return {
    name: absolute(question.name),
    type: formatType(question.type),
    status: isNoData ? "NODATA" : formatRcode(header.rcode),
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

/** `web.shop.svc.cluster.local. 5 IN A 10.0.0.1`; RDATA without a form of its own as RFC 3597 section 5 writes it. */
function formatResource(record: Resource): string {
  const head = [absolute(record.name), record.ttl, formatClass(record.class), formatType(record.type)];
  return `${head.join(" ")} ${formatData(record)}`;
}

function formatData(record: Resource): string {
  switch (record.type) {
    case dns.TYPE_A:
    case dns.TYPE_AAAA:
      return record.address ?? "";
    case dns.TYPE_CNAME:
    case dns.TYPE_PTR:
      return absolute(record.domain);
    case dns.TYPE_NS:
      return absolute(record.ns);
    case dns.TYPE_MX:
      return `${record.priority} ${absolute(record.exchange)}`;
    case dns.TYPE_SRV:
      return `${record.priority} ${record.weight} ${record.port} ${absolute(record.target)}`;
    case dns.TYPE_SOA: {
      const { primary, admin, serial, refresh, retry, expiration, minimum } = record;
      return [absolute(primary), absolute(admin), serial, refresh, retry, expiration, minimum].join(" ");
    }
    case dns.TYPE_TXT:
      return formatStrings(Array.isArray(record.data) ? record.data : []);
    case dns.TYPE_HINFO: {
      const strings = readHinfo(record.data);
      return strings === undefined ? formatOpaque(record.data) : formatStrings(strings);
    }
    default:
      return formatOpaque(record.data);
  }
}

/** CPU and OS (RFC 1035 section 3.3.2), which dns2 leaves as octets; undefined when they are not two character-strings. */
function readHinfo(data: Resource["data"]): readonly string[] | undefined {
  if (!Buffer.isBuffer(data) || data.length === 0) return undefined;
  const osAt = 1 + data[0];
  if (osAt >= data.length || osAt + 1 + data[osAt] !== data.length) return undefined;
  return [data.toString("utf8", 1, osAt), data.toString("utf8", osAt + 1)];
}

function formatStrings(strings: readonly string[]): string {
  return strings.map((text) => `"${printable(text).replaceAll('"', String.raw`\"`)}"`).join(" ");
}

function formatOpaque(data: Resource["data"]): string {
  const octets = Buffer.isBuffer(data) ? data : Buffer.alloc(0);
  return String.raw`\# ${octets.length} ${octets.toString("hex")}`.trimEnd();
}

function absolute(name = ""): string {
  return `${printable(name)}.`;
}

/** Whatever a server sends, a terminal must not obey it: control characters become `\DDD` (RFC 1035 section 5.1). */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- exactly those are replaced
  return text.replaceAll(/[\x00-\x1f\x7f-\u{10ffff}\\]/gu, (character) => {
    if (character === "\\") return "\\\\";
    return Array.from(Buffer.from(character), (octet) => `\\${String(octet).padStart(3, "0")}`).join("");
  });
}

function isOpt(record: Resource): boolean {
  return record.type === dns.TYPE_OPT;
}

type EdnsOption = NonNullable<Resource["rdata"]>[number];

function isExtendedError(option: EdnsOption): option is EdnsOption & { infoCode: number; extraText: string } {
  return option.ednsCode === dns.OPTION_EDE;
}
