import type { SocketAddress } from "../base/socket-address.ts";

export interface ListenOptions {
  /**
   * SO_REUSEPORT: another process of the same user may listen beside us, so that an upgrade overlaps. Off for port 0:
   * nobody could know our port, and the kernel would let two strangers share one.
   */
  readonly isShared: boolean;
  /** The socket broke after it was open. May be called more than once. */
  readonly onFailure: (error: Error) => void;
}

/** A bound socket that serves queries until it is closed. */
export interface ListeningSocket {
  readonly port: number;
  /** Takes no new work, finishes what was received, closes. */
  drain(): Promise<void>;
  /** Closes at once; what the kernel still held is lost. */
  close(): Promise<void>;
}

/** How the server comes by its sockets; rejects with the system's error, which has a `code`. */
export interface ListeningSockets {
  openUdp(address: SocketAddress, options: ListenOptions): Promise<ListeningSocket>;
  openTcp(address: SocketAddress, options: ListenOptions): Promise<ListeningSocket>;
  /** Whether this machine has the address now. */
  isAddressPresent(address: SocketAddress): Promise<boolean>;
  /** Whether a UDP socket, of anybody, is bound to the address and port. */
  isPortTaken(address: SocketAddress): Promise<boolean>;
}
