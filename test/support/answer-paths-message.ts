/** Queries and replies as the case table writes them. */
import { createOptRecord, extendedErrors, messageEdns, messageRcode } from "../../src/dns/edns.ts";
import * as dns from "../../src/dns/constants.ts";
import { composeMessage, isMessageError, type Message, parseMessage } from "../../src/dns/message.ts";
import { formatRcode, parseType } from "../../src/dns/mnemonics.ts";
import { parseName } from "../../src/dns/name.ts";
import { formatRecord } from "../../src/dns/record-format.ts";
import type { EdnsOption } from "../../src/dns/record.ts";

/** The OPT record of a query. */
export interface EdnsGiven {
  readonly size?: number;
  readonly do?: boolean;
  readonly version?: number;
  readonly options?: readonly EdnsOption[];
}

export interface QueryGiven {
  /** `web.shop.svc.cluster.local. A`, or with a class in front of the type: `... CH TXT`. */
  readonly query: string;
  readonly edns?: EdnsGiven;
  /** The second word of the header; RD by default. */
  readonly header?: number;
}

export interface Reply {
  readonly rcode: string;
  /** As dig has them: `qr aa rd ra`. */
  readonly flags: string;
  readonly answer: readonly string[];
  readonly authority: readonly string[];
  /** Without OPT. */
  readonly additional: readonly string[];
  readonly ede: readonly number[];
}

export const QUERY_ID = 0x4242;
const CLASSES: Readonly<Record<string, number>> = { IN: 1, CH: 3, HS: 4, NONE: 254, ANY: 255 };

/** The query in wire format. */
export function composeQuery({ query, edns, header = dns.FLAG_RD }: QueryGiven): Uint8Array {
  const words = query.split(" ");
  const [nameText, ...rest] = words;
  const qname = parseName(nameText);
  const qtype = parseType(rest.at(-1) ?? "");
  const qclass = rest.length === 2 ? CLASSES[rest[0]] : dns.CLASS_IN;
  if (!(qname instanceof Uint8Array) || qtype === undefined || qclass === undefined) {
    throw new TypeError(`Cannot ask "${query}": accepted is NAME [CLASS] TYPE`);
  }
  const opt = edns && {
    extendedRcode: 0,
    version: edns.version ?? 0,
    udpPayloadOctets: edns.size ?? dns.MAX_UDP_PAYLOAD_OCTETS,
    dnssecOk: edns.do ?? false,
    options: edns.options ?? [],
  };
  return composeMessage({
    id: QUERY_ID,
    flags: header,
    questions: [{ qname, qtype, qclass }],
    answers: [],
    authorities: [],
    additionals: opt === undefined ? [] : [createOptRecord(opt)],
  });
}

export function parseReply(bytes: Uint8Array): Message {
  const message = parseMessage(bytes);
  if (isMessageError(message))
    throw new Error(`Cannot read the reply: ${message.reason} at ${message.offset}`);
  return message;
}

/** The reply in presentation format; SOA serials, which are times, as SERIAL. */
export function describeReply(message: Message): Reply {
  return {
    rcode: formatRcode(messageRcode(message)),
    flags: formatFlags(message.flags),
    answer: formatSection(message.answers),
    authority: formatSection(message.authorities),
    additional: formatSection(message.additionals),
    ede: extendedErrors(messageEdns(message)?.options ?? []).map(({ infoCode }) => infoCode),
  };
}

function formatSection(section: Message["answers"]): string[] {
  return section
    .filter(({ rrtype }) => rrtype !== dns.TYPE_OPT)
    .map((record) => maskSerial(formatRecord(record)));
}

/** Sections as sets: the order of an RRset says nothing, and ours rotates. A chain of aliases, which comes first, keeps its order. */
export function inAnyOrder(reply: Reply): Reply {
  const { answer } = reply;
  const aliases = answer.findIndex((record) => !record.includes(" CNAME "));
  return {
    ...reply,
    answer: aliases < 0 ? answer : [...answer.slice(0, aliases), ...answer.slice(aliases).toSorted()],
    authority: reply.authority.toSorted(),
    additional: reply.additional.toSorted(),
  };
}

export function maskSerial(record: string): string {
  return record.replace(/( SOA \S+ \S+) \d+ /, "$1 SERIAL ");
}

function formatFlags(flags: number): string {
  const names = [
    [dns.FLAG_QR, "qr"],
    [dns.FLAG_AA, "aa"],
    [dns.FLAG_TC, "tc"],
    [dns.FLAG_RD, "rd"],
    [dns.FLAG_RA, "ra"],
    [0x0040, "z"],
    [dns.FLAG_AD, "ad"],
    [dns.FLAG_CD, "cd"],
  ] as const;
  return names.flatMap(([bit, name]) => ((flags & bit) === 0 ? [] : [name])).join(" ");
}
