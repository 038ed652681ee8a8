import type { Socket } from "node:net";
import type { Timer } from "../base/clock.ts";
import { MAX_DRAIN_MS, waitUntilQuiet } from "./quiet.ts";
import type { ServerContext } from "./server-context.ts";
import { createReplyFrame, TcpConnection, type ConnectionKeeper } from "./tcp-connection.ts";
import { TurnShare } from "./turn-share.ts";

/** Of all clients and addresses together: a node's pods use TCP for truncated answers; file descriptors stay far away. */
export const MAX_CONNECTIONS = 256;
/** Of one client address: a pod, or a whole node behind source NAT. Sixteen hostile pods are needed to fill the table. */
export const MAX_CONNECTIONS_PER_CLIENT = 16;
/** RFC 7766 section 6.2.3: "of the order of a few seconds". Only a complete message starts it anew. */
export const IDLE_TIMEOUT_MS = 10_000;
/** Who sent nothing for so long gives way when the table is full; who just came has its query under way. */
export const MIN_IDLE_FOR_EVICTION_MS = 500;
/** One timer for all connections: an idle one lives up to this much longer. */
const SWEEP_INTERVAL_MS = 1000;

/** All TCP connections of the server: the limits count them together, whichever address they came to. */
export class TcpConnections implements ConnectionKeeper {
  readonly context: ServerContext;
  readonly share = new TurnShare();
  readonly frame: Buffer;
  readonly out: Uint8Array;
  /** The one idle the longest comes first: a message moves its connection to the end. */
  readonly #byIdleTime = new Set<TcpConnection>();
  readonly #countByClient = new Map<string, number>();
  #sweepTimer: Timer | undefined;

  constructor(context: ServerContext) {
    this.context = context;
    const { frame, out } = createReplyFrame();
    this.frame = frame;
    this.out = out;
  }

  /** Takes a connection over, or closes it: at a limit it needs one that gives way. */
  admit(socket: Socket): void {
    const { meters } = this.context;
    const clientAddress = socket.remoteAddress;
    if (clientAddress === undefined || !this.#makeRoom(clientAddress)) {
      meters.tcpConnectionsRejected++;
      socket.on("error", () => {});
      socket.destroy();
      return;
    }
    meters.tcpConnectionsAccepted++;
    const connection = new TcpConnection(socket, clientAddress, this);
    this.#byIdleTime.add(connection);
    this.#countByClient.set(clientAddress, this.#countOf(clientAddress) + 1);
    socket.on("close", () => this.#remove(connection));
    meters.tcpConnectionsOpen = this.#byIdleTime.size;
    this.#sweepTimer ??= this.context.clock.setTimer(SWEEP_INTERVAL_MS, this.#sweep);
  }

  onMessages(connection: TcpConnection): void {
    connection.lastMessageMs = this.context.clock.nowMs();
    if (this.#byIdleTime.delete(connection)) this.#byIdleTime.add(connection);
  }

  /** Answers what is under way and closes every connection: when all are quiet, or after 2 s. */
  async drain(): Promise<void> {
    const { clock, meters } = this.context;
    const endMs = clock.nowMs() + MAX_DRAIN_MS;
    await waitUntilQuiet(clock, endMs, () => meters.tcpQueries + this.#countBusy());
    for (const connection of this.#byIdleTime) connection.finish();
    await waitUntilQuiet(clock, endMs, () => this.#byIdleTime.size);
    for (const connection of this.#byIdleTime) connection.destroy();
    this.#sweepTimer?.cancel();
    this.#sweepTimer = undefined;
  }

  #countBusy(): number {
    let busy = 0;
    for (const connection of this.#byIdleTime) busy += connection.isIdle ? 0 : 1;
    return busy;
  }

  #countOf(clientAddress: string): number {
    return this.#countByClient.get(clientAddress) ?? 0;
  }

  #makeRoom(clientAddress: string): boolean {
    if (this.#countOf(clientAddress) >= MAX_CONNECTIONS_PER_CLIENT) {
      return this.#evict((connection) => connection.clientAddress === clientAddress);
    }
    return this.#byIdleTime.size < MAX_CONNECTIONS || this.#evict(() => true);
  }

  /** Closes the connection that is idle the longest among those that qualify. */
  #evict(qualifies: (connection: TcpConnection) => boolean): boolean {
    const newestMs = this.context.clock.nowMs() - MIN_IDLE_FOR_EVICTION_MS;
    for (const connection of this.#byIdleTime) {
      if (connection.lastMessageMs > newestMs) return false;
      if (!qualifies(connection)) continue;
      this.context.meters.tcpConnectionsEvicted++;
      this.#remove(connection);
      connection.destroy();
      return true;
    }
    return false;
  }

  #remove(connection: TcpConnection): void {
    if (!this.#byIdleTime.delete(connection)) return;
    const left = this.#countOf(connection.clientAddress) - 1;
    if (left === 0) this.#countByClient.delete(connection.clientAddress);
    else this.#countByClient.set(connection.clientAddress, left);
    this.context.meters.tcpConnectionsOpen = this.#byIdleTime.size;
  }

  readonly #sweep = (): void => {
    const latestMs = this.context.clock.nowMs() - IDLE_TIMEOUT_MS;
    for (const connection of this.#byIdleTime) {
      if (connection.lastMessageMs > latestMs) break;
      this.context.meters.tcpConnectionsTimedOut++;
      this.#remove(connection);
      connection.destroy();
    }
    this.#sweepTimer =
      this.#byIdleTime.size === 0 ? undefined : this.context.clock.setTimer(SWEEP_INTERVAL_MS, this.#sweep);
  };
}
