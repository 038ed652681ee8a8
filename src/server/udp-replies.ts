import { MAX_UDP_PAYLOAD_OCTETS } from "../dns/constants.ts";
import { DROP, TRANSPORT_UDP } from "../dns/transport.ts";
import type { QueryHandler } from "./query-handler.ts";
import { isWorthLogging, type ServerContext } from "./server-context.ts";
import type { ServerMeters } from "./server-meters.ts";

/** The part of `dgram.Socket` that replies need. */
export interface ReplySocket {
  send(
    octets: Uint8Array,
    offset: number,
    length: number,
    port: number,
    address: string,
    callback?: (error: Error | null) => void,
  ): void;
  getSendQueueCount(): number;
}

/**
 * Replies that may wait for the network, 1.2 MiB of them: a burst that fills the socket's send buffer. More would be
 * answers to clients that have given up.
 */
export const MAX_QUEUED_REPLIES = 1024;
/**
 * `dgram` tells of a failed send only through a callback, and a callback costs 0.4 us of 5 (test/bench/udp.bench.ts).
 * So one send in 64 carries it; after a failure every one does, until sends succeed again.
 */
const WATCH_ONE_IN = 64;

/**
 * Answers one datagram after another from one buffer.
 *
 * `dgram` hands the octets to the kernel before `send` returns, except when the socket's buffer is full: then it keeps
 * a reference and sends later. A buffer that is still waiting is never written again: the next reply gets a fresh one.
 */
export class UdpReplies {
  readonly #socket: ReplySocket;
  readonly #handler: QueryHandler;
  readonly #meters: ServerMeters;
  readonly #context: ServerContext;
  #out = Buffer.allocUnsafeSlow(MAX_UDP_PAYLOAD_OCTETS);
  #isQueueing = false;
  #watchInterval = WATCH_ONE_IN;
  #untilWatched = WATCH_ONE_IN;

  constructor(socket: ReplySocket, context: ServerContext) {
    this.#socket = socket;
    this.#handler = context.handler;
    this.#meters = context.meters;
    this.#context = context;
  }

  /** Never throws: whatever goes wrong costs this one query. */
  answer(query: Uint8Array, port: number, address: string): void {
    const meters = this.#meters;
    meters.udpQueries++;
    // Nobody can listen on port 0: such a source is forged, and sending there is an error.
    if (port === 0) {
      meters.udpDropped++;
      return;
    }
    try {
      if (this.#isQueueing && this.#socket.getSendQueueCount() >= MAX_QUEUED_REPLIES) {
        meters.udpSendQueueOverflows++;
        return;
      }
      const out = this.#out;
      const length = this.#handler(query, query.length, out, TRANSPORT_UDP);
      if (length === DROP) {
        meters.udpDropped++;
        return;
      }
      if ((out[2] & 0x02) !== 0) meters.udpTruncated++;
      meters.responsesByRcode[out[3] & 0x0f]++;
      this.#send(out, length, port, address);
    } catch (error) {
      meters.failures++;
      if (isWorthLogging(meters.failures)) {
        this.#context.log.error("query failed", { error, transport: "udp", failures: meters.failures });
      }
    }
  }

  #send(out: Uint8Array, length: number, port: number, address: string): void {
    if (--this.#untilWatched > 0) {
      this.#socket.send(out, 0, length, port, address);
    } else {
      this.#untilWatched = this.#watchInterval;
      this.#socket.send(out, 0, length, port, address, this.#onSent);
    }
    this.#isQueueing = this.#socket.getSendQueueCount() !== 0;
    if (this.#isQueueing) this.#out = Buffer.allocUnsafeSlow(MAX_UDP_PAYLOAD_OCTETS);
  }

  readonly #onSent = (error: Error | null): void => {
    if (error === null) {
      this.#watchInterval = Math.min(WATCH_ONE_IN, this.#watchInterval * 2);
      return;
    }
    this.#watchInterval = 1;
    this.#untilWatched = 1;
    this.#meters.udpSendErrors++;
    if (isWorthLogging(this.#meters.udpSendErrors)) {
      this.#context.log.warn("reply not sent", { error, errors: this.#meters.udpSendErrors });
    }
  };
}
