import {
  copyOctets,
  copyQuestion,
  createOptFields,
  KEEPALIVE_NONE,
  NO_EXTRA_TEXT,
  OPT_FIXED_OCTETS,
  optOctets,
  writeCounts,
  writeHeader,
  writeOpt,
  writeUint16,
  writeUint32,
} from "../dns/compose.ts";
import {
  CLASS_IN,
  EDE_NONE,
  FLAG_AA,
  FLAG_QR,
  FLAG_RA,
  FLAG_RD,
  FLAG_TC,
  MAX_TCP_MESSAGE_OCTETS,
  MAX_UDP_PAYLOAD_OCTETS,
  RCODE_NOERROR,
} from "../dns/constants.ts";
import type { Query } from "../dns/query.ts";
import { type Transport, TRANSPORT_TCP } from "../dns/transport.ts";

/** TYPE, CLASS, TTL and RDLENGTH of a record. */
const RECORD_FIXED_OCTETS = 10;
const POINTER = 0xc000;
const POINTER_OCTETS = 2;
/** The idle time that our TCP server grants, in units of 100 ms (RFC 7828 section 3.1). */
const TCP_KEEPALIVE_TIMEOUT = 100;

const ANSWER = 0;
const AUTHORITY = 1;
const ADDITIONAL = 2;

/**
 * One reply while it is written, into the caller's buffer. Made once per responder and begun again for each query.
 *
 * Knows sizes and sections: records go in order of sections, a record that does not fit truncates the answer or, in the additional section, is
 * left out (RFC 2181 section 9). Room for OPT is kept from the start; an EDE is added at the end if it fits (RFC 8914 section 3).
 */
export class Reply {
  out: Uint8Array = new Uint8Array(0);
  /** Where the next octet goes. */
  at = 0;
  rcode = RCODE_NOERROR;
  isAuthoritative = false;
  isTruncated = false;
  edeCode = EDE_NONE;
  edeText: Uint8Array = NO_EXTRA_TEXT;
  /** TTL of the records that follow, in seconds. */
  ttlSeconds = 0;
  answerCount = 0;
  additionalCount = 0;
  #authorityCount = 0;
  #section = ANSWER;
  #limit = 0;
  #opt = createOptFields();

  /** @param query  Parsed at least as far as its `hasQuestion` says; `bytes` are its octets. */
  begin(query: Query, bytes: Uint8Array, out: Uint8Array, transport: Transport): void {
    this.out = out;
    this.rcode = RCODE_NOERROR;
    this.isAuthoritative = false;
    this.isTruncated = false;
    this.edeCode = EDE_NONE;
    this.edeText = NO_EXTRA_TEXT;
    this.answerCount = 0;
    this.#authorityCount = 0;
    this.additionalCount = 0;
    this.#section = ANSWER;
    this.#limit = replyLimit(query, out, transport) - (query.hasEdns ? OPT_FIXED_OCTETS : 0);
    this.at = query.hasQuestion ? copyQuestion(bytes, query.questionEnd, out) : 12;
  }

  beginAuthority(): void {
    this.#section = AUTHORITY;
  }

  beginAdditional(): void {
    this.#section = ADDITIONAL;
  }

  /**
   * Writes everything of a record but its RDATA, which the caller writes at `at` next.
   *
   * @param ownerAt  Offset in `out` of the owner name, below 2^14: names that come again are compressed.
   * @returns false when the record does not fit: nothing is written and the caller stops with this section.
   */
  beginRecord(ownerAt: number, rrtype: number, rdataOctets: number): boolean {
    const { out, at } = this;
    if (!this.#hasRoom(POINTER_OCTETS + RECORD_FIXED_OCTETS + rdataOctets)) return false;
    this.#finishHeader(writeUint16(out, at, POINTER | ownerAt), rrtype, rdataOctets);
    return true;
  }

  /** The same for an owner one label below the name at `parentAt`; the label has its length octet. */
  beginRecordBelow(label: Uint8Array, parentAt: number, rrtype: number, rdataOctets: number): boolean {
    const labelEnd = label[0] + 1;
    if (!this.#hasRoom(labelEnd + POINTER_OCTETS + RECORD_FIXED_OCTETS + rdataOctets)) return false;
    const ownerEnd = copyOctets(label, 0, labelEnd, this.out, this.at);
    this.#finishHeader(writeUint16(this.out, ownerEnd, POINTER | parentAt), rrtype, rdataOctets);
    return true;
  }

  #hasRoom(octets: number): boolean {
    if (this.at + octets <= this.#limit) return true;
    if (this.#section !== ADDITIONAL) this.isTruncated = true;
    return false;
  }

  #finishHeader(ownerEnd: number, rrtype: number, rdataOctets: number): void {
    const { out } = this;
    let at = writeUint16(out, ownerEnd, rrtype);
    at = writeUint16(out, at, CLASS_IN);
    at = writeUint32(out, at, this.ttlSeconds);
    this.at = writeUint16(out, at, rdataOctets);
    if (this.#section === ANSWER) this.answerCount++;
    else if (this.#section === AUTHORITY) this.#authorityCount++;
    else this.additionalCount++;
  }

  uint16(value: number): void {
    this.at = writeUint16(this.out, this.at, value);
  }

  uint32(value: number): void {
    this.at = writeUint32(this.out, this.at, value);
  }

  octets(source: Uint8Array, from: number, to: number): void {
    this.at = copyOctets(source, from, to, this.out, this.at);
  }

  /** Takes back additional records whose RRset did not fit whole: back to an earlier `at` and `additionalCount`. */
  restoreAdditional(at: number, additionalCount: number): void {
    this.at = at;
    this.additionalCount = additionalCount;
  }

  /** Writes a pointer to a name in this message, which ends the name being written. */
  pointer(nameAt: number): void {
    this.uint16(POINTER | nameAt);
  }

  /** Takes back what was written behind the question. */
  clear(query: Query): void {
    this.at = query.questionEnd;
    this.answerCount = 0;
    this.#authorityCount = 0;
    this.additionalCount = 0;
    this.#section = ANSWER;
    this.isTruncated = false;
  }

  /** Writes OPT and header. @returns The message's length. */
  finish(query: Query, transport: Transport): number {
    if (query.hasEdns) this.#writeOpt(query, transport);
    const flags =
      FLAG_QR |
      (query.flags & FLAG_RD) |
      FLAG_RA |
      (query.opcode << 11) |
      (this.isAuthoritative ? FLAG_AA : 0) |
      (this.isTruncated ? FLAG_TC : 0) |
      (this.rcode & 15);
    writeHeader(this.out, query.id, flags);
    writeCounts(
      this.out,
      query.hasQuestion ? 1 : 0,
      this.answerCount,
      this.#authorityCount,
      this.additionalCount,
    );
    return this.at;
  }

  #writeOpt(query: Query, transport: Transport): void {
    const opt = this.#opt;
    opt.rcode = this.rcode;
    opt.dnssecOk = query.dnssecOk;
    opt.keepaliveTimeout =
      transport === TRANSPORT_TCP && query.hasTcpKeepalive ? TCP_KEEPALIVE_TIMEOUT : KEEPALIVE_NONE;
    opt.edeCode = this.edeCode;
    opt.edeText = this.edeText;
    const room = this.#limit + OPT_FIXED_OCTETS - this.at;
    if (optOctets(opt) > room) opt.edeText = NO_EXTRA_TEXT;
    if (optOctets(opt) > room) opt.edeCode = EDE_NONE;
    if (optOctets(opt) > room) opt.keepaliveTimeout = KEEPALIVE_NONE;
    this.at = writeOpt(this.out, this.at, opt);
    this.additionalCount++;
  }
}

function replyLimit(query: Query, out: Uint8Array, transport: Transport): number {
  if (transport === TRANSPORT_TCP) return Math.min(out.length, MAX_TCP_MESSAGE_OCTETS);
  return Math.min(out.length, MAX_UDP_PAYLOAD_OCTETS, query.udpPayloadOctets);
}
