/**
 * A DNS message codec that shares nothing with the product's: what a test reads off the wire must not depend on the code
 * under test. It trusts well-formed messages only (RFC 1035 section 4.1) and throws on others.
 */
import ipaddr from "ipaddr.js";

const RR_TYPES = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, OPT: 41 } as const;
export type RrType = keyof typeof RR_TYPES;
const RR_TYPE_NAMES = new Map<number, string>(Object.entries(RR_TYPES).map(([name, code]) => [code, name]));

const RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"] as const;
const OPTION_EDE = 15;

export interface DnsReply {
  readonly id: number;
  readonly rcode: string;
  readonly truncated: boolean;
  readonly authoritative: boolean;
  /** `owner TYPE rdata`, names in lower case without the final dot, in the order of the message. */
  readonly answers: readonly string[];
  /** Smallest TTL in the answer section, in seconds; undefined where it is empty. */
  readonly ttlSeconds: number | undefined;
  /** INFO-CODEs of Extended DNS Errors (RFC 8914). */
  readonly extendedErrors: readonly number[];
}

/** A query with RD set; with EDNS(0), it offers 1232 octets. */
export function encodeQuery(id: number, qname: string, qtype: RrType, edns: boolean): Buffer {
  const labels = qname.split(".").filter((label) => label !== "");
  const name = Buffer.concat([
    ...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label, "latin1")])),
    Buffer.of(0),
  ]);
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x0100, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(edns ? 1 : 0, 10);
  const question = Buffer.of(0, RR_TYPES[qtype], 0, 1);
  const opt = Buffer.of(0, 0, RR_TYPES.OPT, 1232 >> 8, 1232 & 0xff, 0, 0, 0, 0, 0, 0);
  return Buffer.concat(edns ? [header, name, question, opt] : [header, name, question]);
}

export function decodeReply(message: Buffer): DnsReply {
  const flags = message.readUInt16BE(2);
  const [questions, answerCount, authorityCount, additionalCount] = [4, 6, 8, 10].map((at) =>
    message.readUInt16BE(at),
  );
  let at = 12;
  for (let index = 0; index < questions; index++) at = readName(message, at).next + 4;
  const answers: string[] = [];
  const extendedErrors: number[] = [];
  let ttlSeconds: number | undefined;
  for (let index = 0; index < answerCount + authorityCount + additionalCount; index++) {
    const record = readRecord(message, at);
    at = record.next;
    if (record.type === "OPT") extendedErrors.push(...readExtendedErrors(message, record));
    if (index >= answerCount) continue;
    answers.push(`${record.owner} ${record.type} ${readRdata(message, record)}`);
    ttlSeconds = Math.min(ttlSeconds ?? Infinity, record.ttl);
  }
  return {
    id: message.readUInt16BE(0),
    rcode: RCODES[flags & 15] ?? `RCODE${flags & 15}`,
    truncated: (flags & 0x0200) !== 0,
    authoritative: (flags & 0x0400) !== 0,
    answers,
    ttlSeconds,
    extendedErrors,
  };
}

interface WireRecord {
  readonly owner: string;
  readonly type: string;
  readonly ttl: number;
  readonly rdataAt: number;
  readonly next: number;
}

function readRecord(message: Buffer, at: number): WireRecord {
  const { name: owner, next } = readName(message, at);
  const code = message.readUInt16BE(next);
  const rdataAt = next + 10;
  return {
    owner,
    type: RR_TYPE_NAMES.get(code) ?? `TYPE${code}`,
    ttl: message.readUInt32BE(next + 4),
    rdataAt,
    next: rdataAt + message.readUInt16BE(next + 8),
  };
}

function readRdata(message: Buffer, record: WireRecord): string {
  const { rdataAt, next } = record;
  switch (record.type) {
    case "A":
    case "AAAA":
      return ipaddr.fromByteArray([...message.subarray(rdataAt, next)]).toString();
    case "CNAME":
    case "PTR":
    case "NS":
      return readName(message, rdataAt).name;
    case "SRV": {
      const [priority, weight, port] = [0, 2, 4].map((offset) => message.readUInt16BE(rdataAt + offset));
      return `${priority} ${weight} ${port} ${readName(message, rdataAt + 6).name}`;
    }
    default:
      return message.toString("hex", rdataAt, next);
  }
}

function readExtendedErrors(message: Buffer, opt: WireRecord): number[] {
  const codes: number[] = [];
  for (let at = opt.rdataAt; at < opt.next; at += 4 + message.readUInt16BE(at + 2)) {
    if (message.readUInt16BE(at) === OPTION_EDE) codes.push(message.readUInt16BE(at + 4));
  }
  return codes;
}

function readName(message: Buffer, start: number): { readonly name: string; readonly next: number } {
  const labels: string[] = [];
  let next = -1;
  let at = start;
  for (let jumps = 0; ;) {
    const length = message.readUInt8(at);
    if (length >= 0xc0) {
      if (++jumps > 20) throw new Error(`Cannot read a name at ${start}: its pointers do not end`);
      if (next < 0) next = at + 2;
      at = message.readUInt16BE(at) & 0x3fff;
      continue;
    }
    at += 1;
    if (length === 0) break;
    labels.push(message.toString("latin1", at, at + length).toLowerCase());
    at += length;
  }
  return { name: labels.join("."), next: next < 0 ? at : next };
}
