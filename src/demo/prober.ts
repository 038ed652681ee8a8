import { createSocket } from "node:dgram";
import type { Clock, Timer } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { SocketAddress } from "../base/socket-address.ts";
import {
  CLASS_IN,
  EDE_STALE_ANSWER,
  EDE_STALE_NXDOMAIN,
  FLAG_RD,
  MAX_UDP_PAYLOAD_OCTETS,
} from "../dns/constants.ts";
import { createOptRecord, extendedErrors, messageEdns, messageRcode } from "../dns/edns.ts";
import type { Message } from "../dns/message.ts";
import { composeMessage, isMessageError, parseMessage } from "../dns/message.ts";
import { formatRcode, formatType } from "../dns/mnemonics.ts";
import { parseName } from "../dns/name.ts";
import { formatRdata } from "../dns/record-format.ts";
import type { ProbeQuestion } from "./probe-questions.ts";

/** As pods with `timeout:1 attempts:2` ask. */
const ATTEMPTS = 2;
const ATTEMPT_TIMEOUT_MS = 1_000;
const TICK_MS = 10;

export interface ProbeReport {
  readonly asked: number;
  /** No answer after all attempts. */
  readonly lost: number;
  /** Another RCODE or other records than the cluster has. */
  readonly wrong: number;
  /** Answers that said of themselves that they are stale (RFC 8914 codes 3 and 19). */
  readonly stale: number;
  readonly longestMs: number;
  /** The first few that were lost or wrong, one line each. */
  readonly failures: readonly string[];
}

export interface Verdict {
  readonly outcome: "right" | "wrong" | "lost";
  readonly isStale: boolean;
  readonly elapsedMs: number;
  /** One line for people; empty for a right answer. */
  readonly explanation: string;
}

const MAX_FAILURES = 5;

/** Asks like many pods: at a steady rate, each question from a port of its own, and judges every answer. */
export class Prober {
  readonly #server: SocketAddress;
  readonly #questions: readonly ProbeQuestion[];
  readonly #questionsPerSecond: number;
  readonly #io: { clock: Clock; random: Random };
  readonly #pending = new Set<Promise<void>>();
  readonly #failures: string[] = [];
  #counts = { asked: 0, lost: 0, wrong: 0, stale: 0 };
  #longestMs = 0;
  #startedMs = 0;
  #timer: Timer | undefined;

  constructor(
    server: SocketAddress,
    questions: readonly ProbeQuestion[],
    questionsPerSecond: number,
    io: { clock: Clock; random: Random },
  ) {
    this.#server = server;
    this.#questions = questions;
    this.#questionsPerSecond = questionsPerSecond;
    this.#io = io;
  }

  start(): void {
    this.#startedMs = this.#io.clock.nowMs();
    this.#tick();
  }

  /** Asks no more, waits for the questions under way, and reports on all. */
  async stop(): Promise<ProbeReport> {
    this.#timer?.cancel();
    await Promise.all(this.#pending);
    return { ...this.#counts, longestMs: this.#longestMs, failures: this.#failures };
  }

  #tick(): void {
    const elapsedMs = this.#io.clock.nowMs() - this.#startedMs;
    const due = Math.floor((elapsedMs * this.#questionsPerSecond) / 1_000);
    while (this.#counts.asked < due) {
      const question = this.#questions[this.#counts.asked % this.#questions.length];
      this.#counts.asked += 1;
      const judged = ask(this.#server, question, this.#io).then((verdict) => this.#note(verdict));
      this.#pending.add(judged);
      void judged.finally(() => this.#pending.delete(judged));
    }
    this.#timer = this.#io.clock.setTimer(TICK_MS, () => this.#tick());
  }

  #note({ outcome, isStale, elapsedMs, explanation }: Verdict): void {
    if (outcome !== "right") {
      this.#counts[outcome] += 1;
      if (this.#failures.length < MAX_FAILURES) this.#failures.push(explanation);
    }
    if (isStale) this.#counts.stale += 1;
    this.#longestMs = Math.max(this.#longestMs, elapsedMs);
  }
}

/** Asks one question as a stub resolver does, and judges the answer. */
export async function ask(
  server: SocketAddress,
  question: ProbeQuestion,
  { clock, random }: { clock: Clock; random: Random },
): Promise<Verdict> {
  const startedMs = clock.nowMs();
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const id = Math.floor(random() * 0x10000);
    const reply = await exchange(server, composeQuestion(id, question), clock);
    const message = reply === undefined ? undefined : parseMessage(reply);
    if (message === undefined || isMessageError(message) || message.id !== id) continue;
    return { ...judge(question, message), elapsedMs: clock.nowMs() - startedMs };
  }
  const explanation = `${label(question)}: no answer`;
  return { outcome: "lost", isStale: false, elapsedMs: clock.nowMs() - startedMs, explanation };
}

function judge(question: ProbeQuestion, message: Message): Omit<Verdict, "elapsedMs"> {
  const rcode = messageRcode(message);
  const rdata = message.answers
    .filter(({ rrtype }) => rrtype === question.qtype)
    .map((record) => formatRdata(record.rdata))
    .sort();
  const isRight = rcode === question.rcode && rdata.join() === question.rdata.toSorted().join();
  const extended = extendedErrors(messageEdns(message)?.options ?? []);
  return {
    outcome: isRight ? "right" : "wrong",
    isStale: extended.some(
      ({ infoCode }) => infoCode === EDE_STALE_ANSWER || infoCode === EDE_STALE_NXDOMAIN,
    ),
    explanation: isRight
      ? ""
      : `${label(question)}: ${formatRcode(rcode)} [${rdata.join(", ")}], right is ${formatRcode(question.rcode)} [${question.rdata.join(", ")}]`,
  };
}

function label({ qname, qtype }: ProbeQuestion): string {
  return `${qname} ${formatType(qtype)}`;
}

function composeQuestion(id: number, { qname, qtype }: ProbeQuestion): Uint8Array {
  const name = parseName(`${qname}.`);
  if (!(name instanceof Uint8Array)) throw new TypeError(`Cannot ask for ${qname}: ${name.code}`);
  const edns = {
    extendedRcode: 0,
    version: 0,
    udpPayloadOctets: MAX_UDP_PAYLOAD_OCTETS,
    dnssecOk: false,
    options: [],
  };
  return composeMessage({
    id,
    flags: FLAG_RD,
    questions: [{ qname: name, qtype, qclass: CLASS_IN }],
    answers: [],
    authorities: [],
    additionals: [createOptRecord(edns)],
  });
}

/** One datagram out, one in; undefined after the timeout, and at once when the port is closed. */
function exchange(server: SocketAddress, query: Uint8Array, clock: Clock): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(server.family === 6 ? "udp6" : "udp4");
    const finish = (reply: Uint8Array | undefined): void => {
      timer.cancel();
      socket.removeAllListeners();
      // A second ICMP error may be under way; without a listener it would end the process.
      socket.on("error", () => {});
      socket.close();
      resolve(reply);
    };
    const timer = clock.setTimer(ATTEMPT_TIMEOUT_MS, () => finish(undefined));
    socket.on("message", finish);
    socket.on("error", () => finish(undefined));
    // Connected, so that only the server's answers come in, and a closed port is heard of.
    socket.connect(server.port, server.address, () => socket.send(query));
  });
}
