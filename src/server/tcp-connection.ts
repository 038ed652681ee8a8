import type { Socket } from "node:net";
import { HEADER_OCTETS, MAX_TCP_MESSAGE_OCTETS } from "../dns/constants.ts";
import { DROP, TRANSPORT_TCP } from "../dns/transport.ts";
import { isWorthLogging, type ServerContext } from "./server-context.ts";
import { LENGTH_OCTETS, MessageSplitter } from "./tcp-framing.ts";
import type { TurnShare } from "./turn-share.ts";

/**
 * Replies that a client has not taken. From here on its queries wait in the kernel (RFC 7766 section 10). With the largest
 * reply on top and a segment or two of queries a stuck connection holds 150 to 250 KiB; one client can have 16 of them.
 */
export const MAX_UNSENT_OCTETS = 16 * 1024;
/** A client with more to ask reconnects; nobody holds a place for ever. A resolver asks a few hundred at the most. */
export const MAX_QUERIES_PER_CONNECTION = 10_000;
/** Of one connection before the others have their turn. */
const QUERIES_PER_PASS = 32;

/** What a connection needs of those who keep it. */
export interface ConnectionKeeper {
  readonly context: ServerContext;
  readonly share: TurnShare;
  /** Scratch for one reply behind its length: 2 + 65535 octets, used by one connection at a time. */
  readonly frame: Buffer;
  /** `frame` without the length. */
  readonly out: Uint8Array;
  /** At least one complete message came. */
  onMessages(connection: TcpConnection): void;
}

/** Scratch for `ConnectionKeeper`. The pages cost memory only where a reply ever reached. */
export function createReplyFrame(): { frame: Buffer; out: Uint8Array } {
  const frame = Buffer.allocUnsafeSlow(LENGTH_OCTETS + MAX_TCP_MESSAGE_OCTETS);
  return { frame, out: frame.subarray(LENGTH_OCTETS) };
}

/**
 * One client: cuts its octets into queries, answers them, and stops reading while it does not take the answers.
 *
 * Replies are written as they are ready and carry the query's ID; nothing here depends on their order
 * (RFC 7766 section 7). Every failure ends this connection only.
 */
export class TcpConnection {
  readonly clientAddress: string;
  /** When the last complete message came, or the connection; the keeper's to set. */
  lastMessageMs: number;
  readonly #socket: Socket;
  readonly #keeper: ConnectionKeeper;
  readonly #splitter = new MessageSplitter();
  #queries = 0;
  /** Queries wait in the splitter: for the client to take replies, or for the next turn. "end" may come all the same. */
  #isPaused = false;
  #hasClientEnded = false;
  /** No more queries are read; replies written so far still go out. */
  #isFinishing = false;

  constructor(socket: Socket, clientAddress: string, keeper: ConnectionKeeper) {
    this.#socket = socket;
    this.clientAddress = clientAddress;
    this.#keeper = keeper;
    this.lastMessageMs = keeper.context.clock.nowMs();
    socket.on("data", (segment) => this.#onData(segment));
    socket.on("end", () => this.#onClientEnd());
    socket.on("drain", () => this.#continue());
    // A reset is the client's way of leaving; "close" follows.
    socket.on("error", () => {});
  }

  /** Nothing is under way: no part of a query, no reply on its way out. */
  get isIdle(): boolean {
    return this.#splitter.pendingOctets === 0 && this.#socket.writableLength === 0;
  }

  /** Sends what was written, then closes; the client may take its time until the idle timeout. */
  finish(): void {
    if (this.#isFinishing) return;
    this.#isFinishing = true;
    this.#socket.end();
    // Unread octets would turn the close into a reset, which takes replies from the client's hands.
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #onData(segment: Uint8Array): void {
    if (this.#isFinishing) return;
    this.#splitter.push(segment);
    if (!this.#isPaused) this.#answerPending();
  }

  #onClientEnd(): void {
    this.#hasClientEnded = true;
    if (!this.#isPaused) this.finish();
  }

  #answerPending(): void {
    this.#socket.cork();
    const before = this.#queries;
    const isPaused = this.#answerUntilPaused();
    this.#socket.uncork();
    if (this.#queries !== before) this.#keeper.onMessages(this);
    if (isPaused && !this.#isFinishing) this.#pause();
  }

  /** @returns true when queries may be left in the splitter. */
  #answerUntilPaused(): boolean {
    const { share } = this.#keeper;
    for (let answered = 0; !this.#isFinishing; answered++) {
      if (this.#socket.writableNeedDrain) return true;
      if (answered === QUERIES_PER_PASS || !share.take()) return this.#waitForTurn();
      const query = this.#splitter.next();
      if (query === undefined) return false;
      this.#queries++;
      this.#answer(query);
    }
    return false;
  }

  #waitForTurn(): true {
    this.#keeper.share.wait(() => this.#continue());
    return true;
  }

  #pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  #continue(): void {
    if (!this.#isPaused || this.#socket.destroyed || this.#isFinishing) return;
    this.#isPaused = false;
    this.#answerPending();
    if (this.#isPaused || this.#isFinishing) return;
    if (this.#hasClientEnded) this.finish();
    else this.#socket.resume();
  }

  #answer(query: Uint8Array): void {
    const { context, frame, out } = this.#keeper;
    const { meters } = context;
    if (query.length < HEADER_OCTETS) {
      meters.tcpConnectionsMalformed++;
      this.finish();
      return;
    }
    meters.tcpQueries++;
    try {
      const length = context.handler(query, query.length, out, TRANSPORT_TCP);
      if (length === DROP) {
        meters.tcpDropped++;
      } else {
        meters.responsesByRcode[out[3] & 0x0f]++;
        frame[0] = length >> 8;
        frame[1] = length & 255;
        this.#socket.write(Buffer.from(frame.subarray(0, LENGTH_OCTETS + length)));
      }
    } catch (error) {
      meters.failures++;
      if (isWorthLogging(meters.failures)) {
        context.log.error("query failed", { error, transport: "tcp", failures: meters.failures });
      }
    }
    if (this.#queries >= MAX_QUERIES_PER_CONNECTION) this.finish();
  }
}
