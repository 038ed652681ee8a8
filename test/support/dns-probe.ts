import { createSocket, type Socket } from "node:dgram";
import { connect } from "node:net";
import { decodeReply, encodeQuery, type DnsReply, type RrType } from "./dns-probe-message.ts";

const QUERY_TIMEOUT_MS = 3000;

interface Pending {
  readonly sentAtMs: number;
  readonly resolve: (reply: TimedReply) => void;
  readonly timer: NodeJS.Timeout;
}

export interface TimedReply extends DnsReply {
  readonly tookMs: number;
}

/** A stub resolver for one server on loopback, over one UDP socket; a truncated reply is asked again over TCP. */
export class DnsProbe {
  readonly #port: number;
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;

  private constructor(port: number, socket: Socket) {
    this.#port = port;
    this.#socket = socket;
    socket.on("message", (message: Buffer) => this.#receive(message));
    // A refused port shows as an error on a connected socket; the query then runs into its timeout like any lost one.
    socket.on("error", () => undefined);
  }

  static async open(port: number): Promise<DnsProbe> {
    return new DnsProbe(port, await connectedSocket(port));
  }

  /** @throws {Error} No reply within 3 s: tests count that as a lost query. */
  async query(qname: string, qtype: RrType, edns = true): Promise<TimedReply> {
    const reply = await this.queryUdp(qname, qtype, edns);
    if (!reply.truncated) return reply;
    const started = performance.now();
    const whole = await queryTcp(this.#port, encodeQuery(1, qname, qtype, edns));
    return { ...decodeReply(whole), tookMs: reply.tookMs + performance.now() - started };
  }

  queryUdp(qname: string, qtype: RrType, edns = true, timeoutMs = QUERY_TIMEOUT_MS): Promise<TimedReply> {
    const id = this.#takeId();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new Error(`No reply to ${qname} ${qtype} within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(id, { sentAtMs: performance.now(), resolve, timer });
      this.#socket.send(encodeQuery(id, qname, qtype, edns));
    });
  }

  close(): void {
    for (const { timer } of this.#pending.values()) clearTimeout(timer);
    this.#pending.clear();
    this.#socket.close();
  }

  #takeId(): number {
    do this.#nextId = (this.#nextId + 1) & 0xffff;
    while (this.#pending.has(this.#nextId));
    return this.#nextId;
  }

  #receive(message: Buffer): void {
    const pending = this.#pending.get(message.readUInt16BE(0));
    if (pending === undefined) return;
    this.#pending.delete(message.readUInt16BE(0));
    clearTimeout(pending.timer);
    pending.resolve({ ...decodeReply(message), tookMs: performance.now() - pending.sentAtMs });
  }
}

/** Runs `task` over all items, `width` at a time. */
export async function forEachConcurrently<T>(
  items: Iterable<T>,
  width: number,
  task: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await task(next.value);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

export interface FirstAnswer {
  /** From `startedAtMs` to the first right answer. */
  readonly tookMs: number;
  /** Replies before it that were not right. */
  readonly wrongReplies: number;
}

/** Asks every millisecond, whether the port is open or not, until a reply is right. */
export async function untilFirstAnswer(options: {
  readonly port: number;
  readonly qname: string;
  readonly qtype: RrType;
  readonly isRight: (reply: DnsReply) => boolean;
  readonly startedAtMs: number;
  readonly timeoutMs: number;
}): Promise<FirstAnswer> {
  const socket = await connectedSocket(options.port);
  let interval: NodeJS.Timeout | undefined;
  let timer: NodeJS.Timeout | undefined;
  let wrongReplies = 0;
  let lastWrong = "none";
  try {
    return await new Promise<FirstAnswer>((resolve, reject) => {
      socket.on("error", () => undefined);
      socket.on("message", (message: Buffer) => {
        const tookMs = performance.now() - options.startedAtMs;
        const reply = decodeReply(message);
        if (options.isRight(reply)) return resolve({ tookMs, wrongReplies });
        wrongReplies += 1;
        lastWrong = `${reply.rcode} ${JSON.stringify(reply.answers)}`;
      });
      const query = encodeQuery(7, options.qname, options.qtype, true);
      interval = setInterval(() => socket.send(query), 1);
      timer = setTimeout(() => {
        const seen = `${wrongReplies} wrong replies, the last ${lastWrong}`;
        reject(new Error(`No right answer to ${options.qname} in ${options.timeoutMs} ms (${seen})`));
      }, options.timeoutMs);
    });
  } finally {
    clearInterval(interval);
    clearTimeout(timer);
    socket.close();
  }
}

export async function connectedSocket(port: number): Promise<Socket> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 4 << 20 });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.connect(port, "127.0.0.1", () => {
      socket.off("error", reject);
      resolve();
    });
  });
  return socket;
}

/** One query over TCP (RFC 7766): two octets of length, then the message. */
async function queryTcp(port: number, query: Buffer): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", timeout: QUERY_TIMEOUT_MS });
    let received = Buffer.alloc(0);
    socket.once("connect", () =>
      socket.write(Buffer.concat([Buffer.of(query.length >> 8, query.length & 0xff), query])),
    );
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      socket.destroy();
      resolve(received.subarray(2));
    });
    socket.once("timeout", () =>
      socket.destroy(new Error(`No reply over TCP within ${QUERY_TIMEOUT_MS} ms`)),
    );
    socket
      .once("error", reject)
      .once("close", () => reject(new Error("TCP connection closed without a reply")));
  });
}
