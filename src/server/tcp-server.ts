import { createServer, type AddressInfo, type Server } from "node:net";
import type { SocketAddress } from "../base/socket-address.ts";
import type { ListenOptions, ListeningSocket } from "./listening-socket.ts";
import { isWorthLogging } from "./server-context.ts";
import { MAX_UNSENT_OCTETS } from "./tcp-connection.ts";
import type { TcpConnections } from "./tcp-connections.ts";

/** One listening TCP socket. The connections outlive it: they are `TcpConnections`' to drain. */
export class TcpServer implements ListeningSocket {
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** @throws the system's error, with `code`, when the address cannot be bound. */
  static open(
    address: SocketAddress,
    connections: TcpConnections,
    options: ListenOptions,
  ): Promise<TcpServer> {
    const server = createServer(
      // Half-close: a client that sent its last query and a FIN still gets every reply (RFC 1035 section 4.2.2).
      { allowHalfOpen: true, noDelay: true, highWaterMark: MAX_UNSENT_OCTETS },
      (socket) => connections.admit(socket),
    );
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      const listen = {
        host: address.address,
        port: address.port,
        ipv6Only: address.family === 6,
        reusePort: options.isShared,
        exclusive: true,
      };
      server.listen(listen, () => {
        server.off("error", reject);
        server.on("error", (error: NodeJS.ErrnoException) => {
          if (error.syscall === "accept") countAcceptError(error, connections);
          else options.onFailure(error);
        });
        resolve(new TcpServer(server));
      });
    });
  }

  close(): Promise<void> {
    // "close" of the server waits for the last connection; the listening socket itself is gone at once.
    if (this.#server.listening) this.#server.close();
    return Promise.resolve();
  }

  /** Right behind the poll phase, when every connection that was ready has been accepted: closing resets the others. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => resolve(this.close()));
    });
  }
}

/**
 * The kernel could not hand a connection over; UDP and the connections that are open go on. Out of file descriptors is not
 * among the reasons: there libuv accepts with a spare one, closes, and tells nobody.
 */
function countAcceptError(error: Error, connections: TcpConnections): void {
  const { meters, log } = connections.context;
  meters.tcpAcceptErrors++;
  if (isWorthLogging(meters.tcpAcceptErrors)) {
    log.warn("connection not accepted", { error, errors: meters.tcpAcceptErrors });
  }
}
