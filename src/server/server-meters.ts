/**
 * What the sockets counted since the start, and how many connections are open now.
 *
 * One object, mutated in place: a counter costs one add per query. The metrics endpoint reads it at scrape.
 */
export class ServerMeters {
  udpQueries = 0;
  /** Datagrams that got no reply on purpose: none was due, or the source port was 0. */
  udpDropped = 0;
  /** Replies that left with the TC bit. */
  udpTruncated = 0;
  /** Replies the kernel refused. Sampled while all goes well (see `udp-replies.ts`), so a single failure may be missed. */
  udpSendErrors = 0;
  /** Replies given up because too many were waiting for the network. */
  udpSendQueueOverflows = 0;

  tcpQueries = 0;
  /** Messages that no reply was due to. */
  tcpDropped = 0;
  tcpConnectionsOpen = 0;
  tcpConnectionsAccepted = 0;
  /** Closed at once: a limit was reached and no other connection was idle. */
  tcpConnectionsRejected = 0;
  /** Closed while idle, to make room for a new one. */
  tcpConnectionsEvicted = 0;
  /** Closed because no complete message came for the idle timeout. */
  tcpConnectionsTimedOut = 0;
  /** Closed for a message too short to be DNS. */
  tcpConnectionsMalformed = 0;
  /** Connections the kernel could not hand over. */
  tcpAcceptErrors = 0;

  /** A query handler or a socket call threw; the query got no reply. */
  failures = 0;
  /** Listening sockets that broke and were opened again. */
  socketErrors = 0;
  /** Indexed by the RCODE of the header: BADVERS, whose upper bits are in OPT, counts as 0. */
  readonly responsesByRcode = new Float64Array(24);
}
