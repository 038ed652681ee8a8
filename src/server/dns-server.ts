import type { SocketAddress } from "../base/socket-address.ts";
import { ListenAddress, type SocketStatus } from "./listen-address.ts";
import type { ListeningSockets } from "./listening-socket.ts";
import { isAddressPresent, isPortTaken } from "./bind-probe.ts";
import type { ServerContext } from "./server-context.ts";
import { TcpConnections } from "./tcp-connections.ts";
import { TcpServer } from "./tcp-server.ts";
import { UdpServer } from "./udp-server.ts";

/**
 * The sockets of the agent: every listen address, over UDP and TCP.
 *
 * Calls the query handler once per message, from the socket's own callback, and knows nothing of what is in it beyond
 * the length and the RCODE. Needs no network at start: an address that is not there yet is served when it comes.
 */
export class DnsServer {
  readonly #connections: TcpConnections;
  readonly #addresses: readonly ListenAddress[];
  #stopped: Promise<void> | undefined;

  constructor(listen: readonly SocketAddress[], context: ServerContext) {
    this.#connections = new TcpConnections(context);
    const sockets = createListeningSockets(context, this.#connections);
    this.#addresses = listen.map((address) => new ListenAddress(address, sockets, context));
  }

  /** Resolves when every address was tried once; `status` says what came of it. What failed is tried again. */
  async start(): Promise<void> {
    await Promise.all(this.#addresses.map((address) => address.start()));
  }

  /** Two entries per listen address, in the order given. */
  status(): SocketStatus[] {
    return this.#addresses.flatMap((address) => address.status());
  }

  /**
   * Loses no query: takes no new ones, answers those received, closes. As a rule in 150 ms, at most in 2 s. Idempotent.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#drain();
    return this.#stopped;
  }

  async #drain(): Promise<void> {
    const listening = this.#addresses.map((address) => address.drain());
    await Promise.all([...listening, this.#connections.drain()]);
  }
}

function createListeningSockets(context: ServerContext, connections: TcpConnections): ListeningSockets {
  return {
    openUdp: (address, options) => UdpServer.open(address, context, options),
    openTcp: (address, options) => TcpServer.open(address, connections, options),
    isAddressPresent,
    isPortTaken,
  };
}
