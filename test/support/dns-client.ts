import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { SocketAddress } from "../../src/base/socket-address.ts";

/**
 * The client side of DNS over UDP and TCP, for tests: octets out, octets in. It judges nothing about the messages.
 *
 * A wait that is never satisfied fails with an error instead of hanging the suite; no test waits for that time to pass.
 */
const GIVE_UP_MS = 10_000;

/** A query for `qname` in class IN with RD set and no EDNS, like musl sends it. `qname` has no escapes. */
export function composeQuery(qname: string, qtype = 1, id = 0x1234): Uint8Array {
  const octets: number[] = [id >> 8, id & 255, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0];
  for (const label of qname.split(".")) {
    if (label !== "") octets.push(label.length, ...new TextEncoder().encode(label));
  }
  octets.push(0, qtype >> 8, qtype & 255, 0, 1);
  return Uint8Array.from(octets);
}

/** The first two octets of a message. */
export function messageId(message: Uint8Array): number {
  return (message[0] << 8) | message[1];
}

/** A message as it travels over TCP: behind its length (RFC 1035 section 4.2.2). */
export function withLength(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(message.length + 2);
  framed[0] = message.length >> 8;
  framed[1] = message.length & 255;
  framed.set(message, 2);
  return framed;
}

export interface UdpReply {
  readonly message: Uint8Array;
  readonly from: SocketAddress;
}

/** One UDP socket; replies arrive in order of receipt. */
export class UdpClient {
  readonly #socket: UdpSocket;
  readonly #replies = new Inbox<UdpReply>();

  private constructor(socket: UdpSocket) {
    this.#socket = socket;
    socket.on("message", (message, from) => {
      const family = from.family === "IPv6" ? 6 : 4;
      this.#replies.put({ message, from: { family, address: from.address, port: from.port } });
    });
    socket.on("error", (error) => this.#replies.end(error));
  }

  /** Sends from an ephemeral port of `localAddress`, or of the address that the route gives. */
  static async open(family: 4 | 6 = 4, localAddress?: string): Promise<UdpClient> {
    const socket = createSocket({ type: family === 6 ? "udp6" : "udp4" });
    socket.bind(0, localAddress);
    await once(socket, "listening");
    return new UdpClient(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Resolves when the kernel has taken the datagram. */
  async send(to: SocketAddress, message: Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.send(message, to.port, to.address, (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  }

  /** The next reply, whoever sent it. */
  receive(): Promise<UdpReply> {
    return this.#replies.take("a UDP reply");
  }

  /** Replies that arrived and were not yet received. */
  get waiting(): number {
    return this.#replies.waiting;
  }

  close(): void {
    this.#socket.close();
  }
}

/** One TCP connection; messages come out whole, whatever the segments were. */
export class TcpClient {
  readonly socket: Socket;
  /** Resolves when the connection is gone in both directions; true when it was reset. */
  readonly closed: Promise<boolean>;
  readonly #messages = new Inbox<Uint8Array>();
  #received: Uint8Array = new Uint8Array(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    let wasReset = false;
    socket.on("data", (octets) => this.#split(octets));
    socket.on("end", () => this.#messages.end(new Error("The server closed the connection")));
    socket.on("error", () => (wasReset = true));
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#messages.end(new Error("The connection is closed"));
        resolve(wasReset);
      });
    });
  }

  /** Keeps its sending side open when the server closes, and the other way round. */
  static async open(to: SocketAddress, localAddress?: string): Promise<TcpClient> {
    const local = localAddress === undefined ? {} : { localAddress };
    const socket = connect({ host: to.address, port: to.port, allowHalfOpen: true, noDelay: true, ...local });
    await once(socket, "connect");
    return new TcpClient(socket);
  }

  /** One message in one write. */
  send(message: Uint8Array): void {
    this.socket.write(withLength(message));
  }

  /** Rejects when the server closes before a whole message arrived. */
  receive(): Promise<Uint8Array> {
    return this.#messages.take("a TCP message");
  }

  close(): void {
    this.socket.destroy();
  }

  #split(octets: Uint8Array): void {
    const all = new Uint8Array(this.#received.length + octets.length);
    all.set(this.#received);
    all.set(octets, this.#received.length);
    let at = 0;
    while (all.length - at >= 2) {
      const end = at + 2 + ((all[at] << 8) | all[at + 1]);
      if (end > all.length) break;
      this.#messages.put(all.slice(at + 2, end));
      at = end;
    }
    this.#received = all.slice(at);
  }
}

/** One query over UDP from a fresh port. */
export async function exchangeUdp(to: SocketAddress, query: Uint8Array): Promise<Uint8Array> {
  const client = await UdpClient.open(to.family);
  try {
    await client.send(to, query);
    return (await client.receive()).message;
  } finally {
    client.close();
  }
}

/** One query over a fresh TCP connection. */
export async function exchangeTcp(to: SocketAddress, query: Uint8Array): Promise<Uint8Array> {
  const client = await TcpClient.open(to);
  try {
    client.send(query);
    return await client.receive();
  } finally {
    client.close();
  }
}

/** What arrived and was not yet asked for, or who asked and still waits. */
class Inbox<T> {
  readonly #items: T[] = [];
  readonly #takers: { resolve: (item: T) => void; reject: (reason: Error) => void }[] = [];
  #ended: Error | undefined;

  get waiting(): number {
    return this.#items.length;
  }

  put(item: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker.resolve(item);
  }

  end(reason: Error): void {
    this.#ended ??= reason;
    for (const taker of this.#takers.splice(0)) taker.reject(this.#ended);
  }

  take(what: string): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const giveUp = setTimeout(() => reject(new Error(`Waited ${GIVE_UP_MS} ms for ${what}`)), GIVE_UP_MS);
      this.#takers.push({
        resolve: (item) => {
          clearTimeout(giveUp);
          resolve(item);
        },
        reject: (reason) => {
          clearTimeout(giveUp);
          reject(reason);
        },
      });
    });
  }
}
