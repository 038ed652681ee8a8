/** Numbers of the protocol as people write them, and back. */
import * as dns from "./constants.ts";

/** Every type that dig prints by name for something a cluster resolver sees; others are TYPE123 (RFC 3597 section 5). */
const TYPES: ReadonlyMap<number, string> = new Map([
  [dns.TYPE_A, "A"],
  [dns.TYPE_NS, "NS"],
  [dns.TYPE_CNAME, "CNAME"],
  [dns.TYPE_SOA, "SOA"],
  [dns.TYPE_PTR, "PTR"],
  [dns.TYPE_HINFO, "HINFO"],
  [dns.TYPE_MX, "MX"],
  [dns.TYPE_TXT, "TXT"],
  [dns.TYPE_AAAA, "AAAA"],
  [dns.TYPE_SRV, "SRV"],
  [35, "NAPTR"],
  [39, "DNAME"],
  [dns.TYPE_OPT, "OPT"],
  [43, "DS"],
  [46, "RRSIG"],
  [47, "NSEC"],
  [48, "DNSKEY"],
  [50, "NSEC3"],
  [52, "TLSA"],
  [64, "SVCB"],
  [65, "HTTPS"],
  [dns.TYPE_TKEY, "TKEY"],
  [dns.TYPE_TSIG, "TSIG"],
  [dns.TYPE_IXFR, "IXFR"],
  [dns.TYPE_AXFR, "AXFR"],
  [dns.TYPE_ANY, "ANY"],
  [257, "CAA"],
]);
const TYPE_NUMBERS: ReadonlyMap<string, number> = new Map(
  Array.from(TYPES, ([number, name]) => [name, number]),
);

const CLASSES: ReadonlyMap<number, string> = new Map([
  [dns.CLASS_IN, "IN"],
  [dns.CLASS_CH, "CH"],
  [dns.CLASS_HS, "HS"],
]);

const RCODES: ReadonlyMap<number, string> = new Map([
  [dns.RCODE_NOERROR, "NOERROR"],
  [dns.RCODE_FORMERR, "FORMERR"],
  [dns.RCODE_SERVFAIL, "SERVFAIL"],
  [dns.RCODE_NXDOMAIN, "NXDOMAIN"],
  [dns.RCODE_NOTIMP, "NOTIMP"],
  [dns.RCODE_REFUSED, "REFUSED"],
  [dns.RCODE_BADVERS, "BADVERS"],
  [23, "BADCOOKIE"],
]);

/** IANA registry "Extended DNS Error Codes" up to 29. */
const EXTENDED_ERRORS: readonly string[] = [
  "Other",
  "Unsupported DNSKEY Algorithm",
  "Unsupported DS Digest Type",
  "Stale Answer",
  "Forged Answer",
  "DNSSEC Indeterminate",
  "DNSSEC Bogus",
  "Signature Expired",
  "Signature Not Yet Valid",
  "DNSKEY Missing",
  "RRSIGs Missing",
  "No Zone Key Bit Set",
  "NSEC Missing",
  "Cached Error",
  "Not Ready",
  "Blocked",
  "Censored",
  "Filtered",
  "Prohibited",
  "Stale NXDOMAIN Answer",
  "Not Authoritative",
  "Not Supported",
  "No Reachable Authority",
  "Network Error",
  "Invalid Data",
  "Signature Expired before Valid",
  "Too Early",
  "Unsupported NSEC3 Iterations Value",
  "Unable to conform to policy",
  "Synthesized",
];

export function formatType(rrtype: number): string {
  return TYPES.get(rrtype) ?? `TYPE${rrtype}`;
}

/** The number of a type given as "AAAA" or "TYPE28" in any case; undefined when it is neither. */
export function parseType(text: string): number | undefined {
  const name = text.toUpperCase();
  const known = TYPE_NUMBERS.get(name);
  if (known !== undefined) return known;
  const digits = /^TYPE(\d{1,5})$/.exec(name)?.[1];
  return digits === undefined || Number(digits) > 0xffff ? undefined : Number(digits);
}

export function formatClass(rrclass: number): string {
  return CLASSES.get(rrclass) ?? `CLASS${rrclass}`;
}

export function formatRcode(rcode: number): string {
  return RCODES.get(rcode) ?? `RCODE${rcode}`;
}

/** The registered purpose of an INFO-CODE ("Stale Answer"). */
export function formatExtendedErrorCode(infoCode: number): string {
  return EXTENDED_ERRORS[infoCode] ?? `EDE${infoCode}`;
}
