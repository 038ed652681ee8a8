/**
 * Writers for the answer path: each puts octets into the caller's buffer and returns the offset behind them. None of them
 * allocates or checks the buffer's size: the caller has made sure of the room (`optOctets` says what an OPT record takes).
 */
import {
  EDE_NONE,
  HEADER_OCTETS,
  MAX_UDP_PAYLOAD_OCTETS,
  OPTION_EDE,
  OPTION_TCP_KEEPALIVE,
  TYPE_OPT,
} from "./constants.ts";

/** An OPT record without options: root owner, TYPE, CLASS, TTL, RDLENGTH. */
export const OPT_FIXED_OCTETS = 11;
/** OPTION-CODE and OPTION-LENGTH. */
const OPTION_HEADER_OCTETS = 4;
const UINT16_OCTETS = 2;
/** No edns-tcp-keepalive option in the reply. */
export const KEEPALIVE_NONE = -1;

/**
 * What goes into the OPT record of a reply. One is made per responder (`createOptFields`) and filled again for each reply:
 * set every field each time.
 */
export interface OptFields {
  /** The whole RCODE; its upper eight bits go here, the lower four into the header (`rcode & 15`). */
  rcode: number;
  /** Copied from the query (RFC 3225 section 3). */
  dnssecOk: boolean;
  /** INFO-CODE of one Extended DNS Error, or `EDE_NONE`. */
  edeCode: number;
  /** EXTRA-TEXT as UTF-8 without a trailing NUL; empty for none. Borrowed, not copied. */
  edeText: Uint8Array;
  /** TIMEOUT of edns-tcp-keepalive in units of 100 ms, or `KEEPALIVE_NONE` (always so over UDP, RFC 7828 section 3.2.1). */
  keepaliveTimeout: number;
}

export const NO_EXTRA_TEXT: Uint8Array = new Uint8Array(0);

export function createOptFields(): OptFields {
  return {
    rcode: 0,
    dnssecOk: false,
    edeCode: EDE_NONE,
    edeText: NO_EXTRA_TEXT,
    keepaliveTimeout: KEEPALIVE_NONE,
  };
}

export function writeUint16(out: Uint8Array, at: number, value: number): number {
  out[at] = value >>> 8;
  out[at + 1] = value;
  return at + 2;
}

export function writeUint32(out: Uint8Array, at: number, value: number): number {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
  return at + 4;
}

/** Copies `source[from..to)` to `out[at..)`. A loop: for the sizes of names it beats `set(subarray())` and makes no garbage. */
export function copyOctets(
  source: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  at: number,
): number {
  let target = at;
  for (let index = from; index < to; index++) out[target++] = source[index];
  return target;
}

/**
 * Writes the first two words of the header. The counts follow with `writeCounts`, when they are known.
 *
 * @param flags The whole second word, OPCODE and the lower four bits of RCODE included.
 */
export function writeHeader(out: Uint8Array, id: number, flags: number): number {
  out[0] = id >>> 8;
  out[1] = id;
  out[2] = flags >>> 8;
  out[3] = flags;
  return HEADER_OCTETS;
}

/** Writes QDCOUNT, ANCOUNT, NSCOUNT and ARCOUNT into a header that starts at octet 0. */
export function writeCounts(
  out: Uint8Array,
  questions: number,
  answers: number,
  authorities: number,
  additionals: number,
): void {
  writeUint16(out, 4, questions);
  writeUint16(out, 6, answers);
  writeUint16(out, 8, authorities);
  writeUint16(out, 10, additionals);
}

/**
 * Copies the question as it came, letter case included: clients compare it octet by octet (dns0x20, c-ares).
 *
 * @param questionEnd `Query.questionEnd`; the question stands at the same place in the reply.
 */
export function copyQuestion(query: Uint8Array, questionEnd: number, out: Uint8Array): number {
  return copyOctets(query, HEADER_OCTETS, questionEnd, out, HEADER_OCTETS);
}

function optDataOctets(fields: OptFields): number {
  let octets = 0;
  if (fields.edeCode !== EDE_NONE) octets += OPTION_HEADER_OCTETS + UINT16_OCTETS + fields.edeText.length;
  if (fields.keepaliveTimeout !== KEEPALIVE_NONE) octets += OPTION_HEADER_OCTETS + UINT16_OCTETS;
  return octets;
}

/** What `writeOpt` will take. To shed the EDE before other data (RFC 8914 section 3), set `edeCode` to `EDE_NONE`. */
export function optOctets(fields: OptFields): number {
  return OPT_FIXED_OCTETS + optDataOctets(fields);
}

/** Writes the OPT record of a reply: version 0, our payload size, DO as asked, and the options of `fields`. */
export function writeOpt(out: Uint8Array, at: number, fields: OptFields): number {
  out[at] = 0;
  let end = writeUint16(out, at + 1, TYPE_OPT);
  end = writeUint16(out, end, MAX_UDP_PAYLOAD_OCTETS);
  // The TTL field: extended RCODE, version, DO and 15 zero bits (RFC 6891 section 6.1.3).
  out[end] = fields.rcode >>> 4;
  out[end + 1] = 0;
  out[end + 2] = fields.dnssecOk ? 0x80 : 0;
  out[end + 3] = 0;
  end = writeUint16(out, end + 4, optDataOctets(fields));
  if (fields.edeCode !== EDE_NONE) {
    const text = fields.edeText;
    end = writeUint16(out, end, OPTION_EDE);
    end = writeUint16(out, end, UINT16_OCTETS + text.length);
    end = writeUint16(out, end, fields.edeCode);
    end = copyOctets(text, 0, text.length, out, end);
  }
  if (fields.keepaliveTimeout !== KEEPALIVE_NONE) {
    end = writeUint16(out, end, OPTION_TCP_KEEPALIVE);
    end = writeUint16(out, end, UINT16_OCTETS);
    end = writeUint16(out, end, fields.keepaliveTimeout);
  }
  return end;
}
