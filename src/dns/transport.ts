/** How a query came; a reply over TCP is not bound by the client's UDP payload size. */
export const TRANSPORT_UDP = 0;
export const TRANSPORT_TCP = 1;
export type Transport = typeof TRANSPORT_UDP | typeof TRANSPORT_TCP;

/** Instead of a reply's length: none is due (RFC 1035 section 4.1.1: shorter than a header, or a response). */
export const DROP = 0;
