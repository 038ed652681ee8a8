import type { Transport } from "../dns/transport.ts";

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
