/** Resource records as the cold codec holds them: upstream replies, the CLI, tests. The answer path never makes one. */
import {
  CLASS_CH,
  CLASS_HS,
  CLASS_IN,
  TYPE_A,
  TYPE_AAAA,
  TYPE_CNAME,
  TYPE_HINFO,
  TYPE_MX,
  TYPE_NS,
  TYPE_OPT,
  TYPE_PTR,
  TYPE_SOA,
  TYPE_SRV,
  TYPE_TXT,
} from "./constants.ts";

/** A or AAAA: 4 or 16 octets in network order. */
export interface AddressRdata {
  readonly kind: "address";
  readonly address: Uint8Array;
}

/** NS, CNAME or PTR. */
export interface NameRdata {
  readonly kind: "name";
  readonly name: Uint8Array;
}

export interface MxRdata {
  readonly kind: "mx";
  readonly preference: number;
  readonly exchange: Uint8Array;
}

/** RFC 2782. */
export interface SrvRdata {
  readonly kind: "srv";
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: Uint8Array;
}

/** RFC 1035 section 3.3.13; the times are seconds. */
export interface SoaRdata {
  readonly kind: "soa";
  readonly mname: Uint8Array;
  readonly rname: Uint8Array;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

/** TXT (one or more) or HINFO (CPU and OS): character-strings of at most 255 octets. */
export interface StringsRdata {
  readonly kind: "strings";
  readonly strings: readonly Uint8Array[];
}

export interface EdnsOption {
  readonly code: number;
  readonly data: Uint8Array;
}

/** The rest of an OPT record is in its CLASS and TTL: `readEdns` in `edns.ts` takes it apart. */
export interface OptRdata {
  readonly kind: "opt";
  readonly options: readonly EdnsOption[];
}

/** A type or class this codec does not know: its octets, unchanged (RFC 3597 section 3). */
export interface OpaqueRdata {
  readonly kind: "opaque";
  readonly octets: Uint8Array;
}

export type Rdata =
  | AddressRdata
  | NameRdata
  | MxRdata
  | SrvRdata
  | SoaRdata
  | StringsRdata
  | OptRdata
  | OpaqueRdata;

/** Names are in wire format and uncompressed; records of one message may share their arrays, so nobody writes into them. */
export interface ResourceRecord {
  readonly owner: Uint8Array;
  readonly rrtype: number;
  readonly rrclass: number;
  /** Seconds as sent, 0 to 2^32-1; a cache caps it (RFC 8767 section 4). */
  readonly ttl: number;
  readonly rdata: Rdata;
}

const KIND_BY_TYPE: ReadonlyMap<number, Rdata["kind"]> = new Map([
  [TYPE_A, "address"],
  [TYPE_NS, "name"],
  [TYPE_CNAME, "name"],
  [TYPE_SOA, "soa"],
  [TYPE_PTR, "name"],
  [TYPE_HINFO, "strings"],
  [TYPE_MX, "mx"],
  [TYPE_TXT, "strings"],
  [TYPE_AAAA, "address"],
  [TYPE_SRV, "srv"],
]);
/** Their RDATA is defined for class IN alone (a CHAOS address, for one, is a name and a number). */
const INTERNET_TYPES = new Set([TYPE_A, TYPE_AAAA, TYPE_SRV]);
/** Other classes are those of dynamic updates, whose records may have no RDATA, and unknown ones. */
const DATA_CLASSES = new Set([CLASS_IN, CLASS_CH, CLASS_HS]);

/** The form in which RDATA of a type and class is parsed. */
export function rdataKind(rrtype: number, rrclass: number): Rdata["kind"] {
  if (rrtype === TYPE_OPT) return "opt";
  if (INTERNET_TYPES.has(rrtype) ? rrclass !== CLASS_IN : !DATA_CLASSES.has(rrclass)) return "opaque";
  return KIND_BY_TYPE.get(rrtype) ?? "opaque";
}

/** Octets of an A or AAAA record's RDATA. */
export function addressOctets(rrtype: number): number {
  return rrtype === TYPE_A ? 4 : 16;
}
