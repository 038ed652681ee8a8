import {
  CLASS_IN,
  FLAG_QR,
  HEADER_OCTETS,
  MAX_LABEL_OCTETS,
  MAX_NAME_OCTETS,
  MIN_UDP_PAYLOAD_OCTETS,
  OPCODE_QUERY,
  OPTION_TCP_KEEPALIVE,
  TYPE_A,
  TYPE_AAAA,
  TYPE_OPT,
} from "./constants.ts";

// What `parseQuery` found. Integers, because this runs for every query and an object per outcome would be garbage.

/** A query that can be answered: every field of `Query` is set. */
export const QUERY_OK = 0;
/** No reply is due: shorter than a header, or itself a response (two servers would talk for ever). `Query` is not set. */
export const QUERY_DROP = 1;
/** OPCODE is not QUERY: reply NOTIMP with all sections empty. The body is not read, whatever it holds (RFC 8906 section 3.1.4). */
export const QUERY_NOTIMP = 2;
/** Reply FORMERR; with the question where `hasQuestion`, with an OPT record where `hasEdns` (RFC 6891 section 7). */
export const QUERY_FORMERR = 3;
/** An EDNS version above 0: reply BADVERS with an OPT record of version 0 (RFC 6891 section 6.1.3). */
export const QUERY_BADVERS = 4;

/**
 * Records behind the question that are walked at most; a query that counts more is FORMERR.
 * Real queries carry an OPT and at most a TSIG or SIG(0); the limit only keeps a 64 KiB TCP message of empty records cheap.
 */
export const MAX_QUERY_RECORDS = 64;
/** EDNS options read at most; those behind are ignored. Resolvers send four or five (NSID, COOKIE, ECS, PADDING). */
export const MAX_QUERY_OPTIONS = 8;

/**
 * The part of a query that the answer path needs, read without allocating.
 *
 * One `Query` is made per responder and filled again for each datagram: the fields are offsets into the caller's bytes
 * and small integers. QNAME starts at octet 12 and is never compressed (a pointer in it is FORMERR).
 */
export interface Query {
  id: number;
  /** The raw second word of the header. */
  flags: number;
  opcode: number;
  /** True once QNAME, QTYPE and QCLASS were read: the reply can carry the question (RFC 6891 section 7). */
  hasQuestion: boolean;
  /** Offset behind QCLASS: the question is `bytes[12..questionEnd)`. 12 without a question. */
  questionEnd: number;
  qtype: number;
  qclass: number;
  /** Labels in QNAME, the root not counted. */
  labelCount: number;
  /** `labelOffsets[i]` is the offset of the length octet of label `i`, leftmost first; `[labelCount]` is the root's. */
  readonly labelOffsets: Uint16Array;
  hasEdns: boolean;
  ednsVersion: number;
  /** The requestor's UDP payload size, at least 512 (RFC 6891 section 6.2.3); 512 without EDNS. */
  udpPayloadOctets: number;
  dnssecOk: boolean;
  /** The requestor sent edns-tcp-keepalive (RFC 7828). */
  hasTcpKeepalive: boolean;
}

/** A name of 255 octets has at most 127 labels of one octet each, and the root. */
const MAX_LABELS = 127;
/** The root octet of a QNAME is at this offset at most. */
const MAX_ROOT_OFFSET = HEADER_OCTETS + MAX_NAME_OCTETS - 1;
/** TYPE, CLASS, TTL and RDLENGTH. */
const RECORD_FIXED_OCTETS = 10;
const OPTION_HEADER_OCTETS = 4;
const MALFORMED = -1;

export function createQuery(): Query {
  return {
    id: 0,
    flags: 0,
    opcode: 0,
    hasQuestion: false,
    questionEnd: HEADER_OCTETS,
    qtype: 0,
    qclass: 0,
    labelCount: 0,
    labelOffsets: new Uint16Array(MAX_LABELS + 1),
    hasEdns: false,
    ednsVersion: 0,
    udpPayloadOctets: MIN_UDP_PAYLOAD_OCTETS,
    dnssecOk: false,
    hasTcpKeepalive: false,
  };
}

/**
 * Reads one query into `query`, the same way for UDP and TCP.
 *
 * Never throws and never allocates; the cost is bounded by `length` and by `MAX_QUERY_RECORDS`, never by the counts in the
 * header. Header flags other than QR are not judged (RFC 8906 section 3.1.3). Records of the answer, authority and additional
 * sections are checked for bounds and else ignored; so are octets behind the last counted record.
 *
 * @param length Octets of the message, at most `bytes.length`; nothing behind is read.
 * @returns One of the `QUERY_*` constants.
 */
export function parseQuery(bytes: Uint8Array, length: number, query: Query): number {
  if (length < HEADER_OCTETS) return QUERY_DROP;
  const flags = (bytes[2] << 8) | bytes[3];
  if ((flags & FLAG_QR) !== 0) return QUERY_DROP;
  query.id = (bytes[0] << 8) | bytes[1];
  query.flags = flags;
  query.opcode = (flags >> 11) & 0xf;
  query.hasQuestion = false;
  query.questionEnd = HEADER_OCTETS;
  query.qtype = 0;
  query.qclass = 0;
  query.labelCount = 0;
  query.hasEdns = false;
  query.ednsVersion = 0;
  query.udpPayloadOctets = MIN_UDP_PAYLOAD_OCTETS;
  query.dnssecOk = false;
  query.hasTcpKeepalive = false;
  if (query.opcode !== OPCODE_QUERY) return QUERY_NOTIMP;

  const questionCount = (bytes[4] << 8) | bytes[5];
  if (questionCount !== 1) return refuseQuestionCount(bytes, length, questionCount, query);
  const at = readQuestion(bytes, length, query);
  if (at === MALFORMED) return QUERY_FORMERR;
  return readRecords(bytes, length, at, query);
}

/** @returns The offset behind the question, or `MALFORMED`. */
function readQuestion(bytes: Uint8Array, length: number, query: Query): number {
  const offsets = query.labelOffsets;
  let at = HEADER_OCTETS;
  let count = 0;
  for (;;) {
    if (at >= length) return MALFORMED;
    const labelOctets = bytes[at];
    offsets[count] = at;
    if (labelOctets === 0) break;
    // Above 63 are pointers, which have nothing before them to point to, and the label types nobody uses (RFC 6891 section 5).
    if (labelOctets > MAX_LABEL_OCTETS) return MALFORMED;
    at += labelOctets + 1;
    if (at > MAX_ROOT_OFFSET) return MALFORMED;
    count++;
  }
  if (at + 5 > length) return MALFORMED;
  query.labelCount = count;
  query.qtype = (bytes[at + 1] << 8) | bytes[at + 2];
  query.qclass = (bytes[at + 3] << 8) | bytes[at + 4];
  query.questionEnd = at + 5;
  query.hasQuestion = true;
  return at + 5;
}

/**
 * FORMERR for a query with none or several questions (RFC 9619). The records are still read, so that the reply carries
 * an OPT record when the query did.
 */
function refuseQuestionCount(bytes: Uint8Array, length: number, count: number, query: Query): number {
  let at = HEADER_OCTETS;
  // A question takes 5 octets, so the message ends this loop before a lying count does.
  for (let index = 0; index < count; index++) {
    at = skipName(bytes, length, at);
    if (at === MALFORMED || at + 4 > length) return QUERY_FORMERR;
    at += 4;
  }
  readRecords(bytes, length, at, query);
  return QUERY_FORMERR;
}

/**
 * Walks the records behind the question in search of OPT. A fault that leaves the record boundaries known does not end the
 * walk: the reply to it must carry an OPT record if one follows.
 */
function readRecords(bytes: Uint8Array, length: number, start: number, query: Query): number {
  const beforeAdditional = ((bytes[6] << 8) | bytes[7]) + ((bytes[8] << 8) | bytes[9]);
  const total = beforeAdditional + ((bytes[10] << 8) | bytes[11]);
  if (total === 0) return QUERY_OK;
  let outcome = total > MAX_QUERY_RECORDS ? QUERY_FORMERR : QUERY_OK;
  let at = start;
  for (let index = 0; index < total && index < MAX_QUERY_RECORDS; index++) {
    const fixed = skipName(bytes, length, at);
    if (fixed === MALFORMED || fixed + RECORD_FIXED_OCTETS > length) return QUERY_FORMERR;
    const rrtype = (bytes[fixed] << 8) | bytes[fixed + 1];
    const rdataOctets = (bytes[fixed + 8] << 8) | bytes[fixed + 9];
    const next = fixed + RECORD_FIXED_OCTETS + rdataOctets;
    if (next > length) return QUERY_FORMERR;
    if (rrtype === TYPE_OPT) {
      const isMisplaced = index < beforeAdditional || bytes[at] !== 0 || query.hasEdns;
      const result = readOpt(bytes, fixed, next, query);
      if (isMisplaced) outcome = QUERY_FORMERR;
      else if (outcome === QUERY_OK) outcome = result;
    } else if (hasWrongAddressLength(bytes, fixed, rrtype, rdataOctets)) {
      outcome = QUERY_FORMERR;
    }
    at = next;
  }
  return outcome;
}

/** Other types have no length that is checked here: they are ignored, TSIG and SIG(0) too (the service is unsigned). */
function hasWrongAddressLength(bytes: Uint8Array, fixed: number, rrtype: number, octets: number): boolean {
  if (rrtype !== TYPE_A && rrtype !== TYPE_AAAA) return false;
  const rrclass = (bytes[fixed + 2] << 8) | bytes[fixed + 3];
  return rrclass === CLASS_IN && octets !== (rrtype === TYPE_A ? 4 : 16);
}

/** @param fixed Offset of the TYPE field; `end` is the offset behind the RDATA. */
function readOpt(bytes: Uint8Array, fixed: number, end: number, query: Query): number {
  const payloadOctets = (bytes[fixed + 2] << 8) | bytes[fixed + 3];
  query.hasEdns = true;
  query.udpPayloadOctets = payloadOctets < MIN_UDP_PAYLOAD_OCTETS ? MIN_UDP_PAYLOAD_OCTETS : payloadOctets;
  query.ednsVersion = bytes[fixed + 5];
  query.dnssecOk = (bytes[fixed + 6] & 0x80) !== 0;
  // What the options of a later version look like is not known: they are not read.
  if (query.ednsVersion !== 0) return QUERY_BADVERS;

  let at = fixed + RECORD_FIXED_OCTETS;
  for (let count = 0; at < end && count < MAX_QUERY_OPTIONS; count++) {
    if (at + OPTION_HEADER_OCTETS > end) return QUERY_FORMERR;
    const code = (bytes[at] << 8) | bytes[at + 1];
    const octets = (bytes[at + 2] << 8) | bytes[at + 3];
    at += OPTION_HEADER_OCTETS + octets;
    if (at > end) return QUERY_FORMERR;
    if (code === OPTION_TCP_KEEPALIVE) {
      // A client sends it empty (RFC 7828 section 3.2.1).
      if (octets !== 0) return QUERY_FORMERR;
      query.hasTcpKeepalive = true;
    }
  }
  return QUERY_OK;
}

/**
 * Steps over a name that nobody will read. A pointer ends it and is not followed, so a chain of pointers costs nothing;
 * it must lead to an octet before the name.
 *
 * @returns The offset behind the name, or `MALFORMED`.
 */
function skipName(bytes: Uint8Array, length: number, start: number): number {
  let at = start;
  while (at < length) {
    const labelOctets = bytes[at];
    if (labelOctets === 0) return at + 1;
    if (labelOctets >= 0xc0) {
      if (at + 2 > length) return MALFORMED;
      const target = ((labelOctets & 0x3f) << 8) | bytes[at + 1];
      return target >= HEADER_OCTETS && target < start ? at + 2 : MALFORMED;
    }
    if (labelOctets > MAX_LABEL_OCTETS) return MALFORMED;
    at += labelOctets + 1;
    if (at - start >= MAX_NAME_OCTETS) return MALFORMED;
  }
  return MALFORMED;
}
