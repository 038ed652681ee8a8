/** How the query came; a reply over TCP is not bound by the client's UDP payload size. */
export const TRANSPORT_UDP = 0;
export const TRANSPORT_TCP = 1;
export type Transport = typeof TRANSPORT_UDP | typeof TRANSPORT_TCP;

/** No reply is due (RFC 1035 section 4.1.1: shorter than a header, or a response). */
export const DROP = 0;

/**
 * What the servers need of the answer stage.
 *
 * @param query  One DNS message; only `query[0..length)` is read.
 * @param out    Written from octet 0. At least 1232 octets for UDP and 65535 for TCP; the server reuses it.
 * @returns Octets written, or `DROP`. Never throws, for any bytes.
 */
export type QueryHandler = (
  query: Uint8Array,
  length: number,
  out: Uint8Array,
  transport: Transport,
) => number;
