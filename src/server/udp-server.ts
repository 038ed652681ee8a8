import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import type { SocketAddress } from "../base/socket-address.ts";
import type { ListenOptions, ListeningSocket } from "./listening-socket.ts";
import { isWildcard, lookupLiteral } from "./bind-probe.ts";
import { MAX_DRAIN_MS, waitUntilQuiet } from "./quiet.ts";
import type { ServerContext } from "./server-context.ts";
import { UdpReplies } from "./udp-replies.ts";

/**
 * A burst of queries waits here while the loop is busy: 4 MiB are about 5,000 datagrams. The kernel cuts it down to
 * net.core.rmem_max.
 */
const RECEIVE_BUFFER_OCTETS = 4 * 1024 * 1024;
/** The discard service: where a draining socket is connected to, so that nobody else reaches it. */
const DISCARD_PORT = 9;

/**
 * One UDP socket on one address: a reply leaves from where the query was sent to (RFC 2181 section 4), which a wildcard
 * socket does not give in Node.
 */
export class UdpServer implements ListeningSocket {
  readonly port: number;
  readonly #socket: Socket;
  readonly #address: SocketAddress;
  readonly #context: ServerContext;
  readonly #replies: UdpReplies;
  readonly #isShared: boolean;
  #received = 0;
  #isDraining = false;
  #isConnected = false;

  private constructor(socket: Socket, address: SocketAddress, context: ServerContext, isShared: boolean) {
    this.#socket = socket;
    this.#address = address;
    this.#context = context;
    this.#isShared = isShared;
    this.port = socket.address().port;
    this.#replies = new UdpReplies(socket, context);
    socket.on("message", (query, from) => this.#onMessage(query, from));
  }

  /** @throws the system's error, with `code`, when the address cannot be bound. */
  static open(address: SocketAddress, context: ServerContext, options: ListenOptions): Promise<UdpServer> {
    const socket = createSocket({
      type: address.family === 6 ? "udp6" : "udp4",
      ipv6Only: address.family === 6,
      reusePort: options.isShared,
      lookup: lookupLiteral,
    });
    return new Promise((resolve, reject) => {
      const onBindError = (error: Error): void => {
        socket.close();
        reject(error);
      };
      socket.once("error", onBindError);
      socket.bind(address.port, address.address, () => {
        enlargeReceiveBuffer(socket, context);
        socket.off("error", onBindError);
        socket.on("error", options.onFailure);
        resolve(new UdpServer(socket, address, context, options.isShared));
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.close(resolve);
    });
  }

  /**
   * Answers what the kernel holds for this socket, then closes it.
   *
   * Closing drops what is unread, and reading until silence would never end while the kernel deals queries to every
   * socket of the port. A connected socket is dealt none (but keeps what it has): they go to the successor, or, where
   * there is none, are refused at once, so that resolvers move on.
   */
  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#refuseNewQueries();
    const { clock } = this.#context;
    await waitUntilQuiet(clock, clock.nowMs() + MAX_DRAIN_MS, () => this.#received);
    await this.close();
  }

  #onMessage(query: Uint8Array, from: RemoteInfo): void {
    this.#received++;
    if (this.#isDraining) this.#answerWhileDraining(query, from);
    else this.#replies.answer(query, from.port, from.address);
  }

  /** A connected socket sends to its peer only: it is disconnected for the moment of the reply. */
  #answerWhileDraining(query: Uint8Array, from: RemoteInfo): void {
    if (this.#isConnected) this.#socket.disconnect();
    this.#isConnected = false;
    this.#replies.answer(query, from.port, from.address);
    this.#refuseNewQueries();
  }

  /** Not on a port that the kernel chose: there is no successor, and disconnecting would give the port back. */
  #refuseNewQueries(): void {
    if (!this.#isShared) return;
    const { family, address } = this.#address;
    const loopback = family === 6 ? "::1" : "127.0.0.1";
    try {
      this.#socket.connect(DISCARD_PORT, isWildcard(address) ? loopback : address);
      this.#isConnected = true;
    } catch (error) {
      this.#context.log.warn("draining without a stop to new queries", { error, address });
    }
  }
}

function enlargeReceiveBuffer(socket: Socket, context: ServerContext): void {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_OCTETS);
  } catch (error) {
    context.log.warn("receive buffer keeps its default size", { error });
  }
}
