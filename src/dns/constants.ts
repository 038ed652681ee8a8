/** Numbers of the DNS protocol, as IANA registers them ("Domain Name System (DNS) Parameters"). */

export const HEADER_OCTETS = 12;
/** RFC 1035 section 2.3.4. */
export const MAX_NAME_OCTETS = 255;
export const MAX_LABEL_OCTETS = 63;
/** A message without EDNS over UDP, RFC 1035 section 4.2.1. */
export const MIN_UDP_PAYLOAD_OCTETS = 512;
/** What we advertise and never exceed over UDP: fits the smallest IPv6 path without fragments (DNS Flag Day 2020). */
export const MAX_UDP_PAYLOAD_OCTETS = 1232;
export const MAX_TCP_MESSAGE_OCTETS = 65535;

export const TYPE_A = 1;
export const TYPE_NS = 2;
export const TYPE_CNAME = 5;
export const TYPE_SOA = 6;
export const TYPE_PTR = 12;
export const TYPE_HINFO = 13;
export const TYPE_MX = 15;
export const TYPE_TXT = 16;
export const TYPE_AAAA = 28;
export const TYPE_SRV = 33;
export const TYPE_OPT = 41;
export const TYPE_TKEY = 249;
export const TYPE_TSIG = 250;
export const TYPE_IXFR = 251;
export const TYPE_AXFR = 252;
export const TYPE_MAILB = 253;
export const TYPE_MAILA = 254;
export const TYPE_ANY = 255;

export const CLASS_IN = 1;
export const CLASS_CH = 3;
export const CLASS_HS = 4;

export const OPCODE_QUERY = 0;

export const RCODE_NOERROR = 0;
export const RCODE_FORMERR = 1;
export const RCODE_SERVFAIL = 2;
export const RCODE_NXDOMAIN = 3;
export const RCODE_NOTIMP = 4;
export const RCODE_REFUSED = 5;
/** Extended: its upper eight bits travel in the OPT record (RFC 6891 section 6.1.3). */
export const RCODE_BADVERS = 16;

/** The flag bits of a header's second 16-bit word (RFC 1035 section 4.1.1; AD and CD: RFC 4035). */
export const FLAG_QR = 0x8000;
export const FLAG_AA = 0x0400;
export const FLAG_TC = 0x0200;
export const FLAG_RD = 0x0100;
export const FLAG_RA = 0x0080;
export const FLAG_AD = 0x0020;
export const FLAG_CD = 0x0010;

/** EDNS options. */
export const OPTION_TCP_KEEPALIVE = 11;
export const OPTION_EDE = 15;

/** Extended DNS Errors we emit (RFC 8914 section 4). */
export const EDE_NONE = -1;
export const EDE_OTHER = 0;
export const EDE_STALE_ANSWER = 3;
export const EDE_NOT_READY = 14;
export const EDE_STALE_NXDOMAIN = 19;
export const EDE_NOT_AUTHORITATIVE = 20;
export const EDE_NOT_SUPPORTED = 21;
export const EDE_NO_REACHABLE_AUTHORITY = 22;
