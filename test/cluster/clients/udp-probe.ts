/**
 * Asks one DNS server for A records at a fixed rate, and prints what became of it: a program for a pod.
 *
 * usage: udp-probe.ts ADDRESS PORT QUERIES_PER_SECOND NAME=IPV4...
 *
 * Each second a line of JSON with the sums so far (`ProbeTotals`). A query that has no answer for a second is lost; only the address given
 * is right. Every query has a socket buffer, not a turn, to wait for: the rate does not depend on the answers.
 */
import { createSocket } from "node:dgram";

export interface ProbeTotals {
  readonly sent: number;
  readonly answered: number;
  /** No answer within a second. */
  readonly lost: number;
  /** Another address, or an RCODE. */
  readonly wrong: number;
  /** The socket said that nobody listens (ICMP). */
  readonly refused: number;
  /** Of the last second. */
  readonly longestMs: number;
}

const LOST_AFTER_MS = 1_000;

function main([address, port, rate, ...pairs]: readonly string[]): void {
  const questions = pairs.map((pair) => {
    const [name, ipv4] = pair.split("=");
    return { query: compose(name), rdata: Buffer.from(ipv4.split(".").map(Number)) };
  });
  const totals = { sent: 0, answered: 0, lost: 0, wrong: 0, refused: 0, longestMs: 0 };
  const pending = new Map<number, { readonly sentMs: number; readonly rdata: Buffer }>();
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  // A connected socket is told when nobody listens; after an error it goes on.
  socket.on("error", () => totals.refused++);
  socket.on("message", (message) => {
    const query = pending.get(message.readUInt16BE(0));
    if (query === undefined) return;
    pending.delete(message.readUInt16BE(0));
    totals.answered++;
    totals.longestMs = Math.max(totals.longestMs, performance.now() - query.sentMs);
    const isRight = (message[3] & 0x0f) === 0 && message.includes(query.rdata);
    if (!isRight) totals.wrong++;
  });
  let id = 0;
  const startMs = performance.now();
  const turn = () => {
    const nowMs = performance.now();
    const due = Math.floor(((nowMs - startMs) / 1000) * Number(rate));
    while (totals.sent < due) {
      const { query, rdata } = questions[totals.sent % questions.length];
      id = (id + 1) & 0xffff;
      const message = Buffer.from(query);
      message.writeUInt16BE(id, 0);
      pending.set(id, { sentMs: performance.now(), rdata });
      totals.sent++;
      socket.send(message, () => undefined);
    }
    for (const [key, { sentMs }] of pending) {
      if (nowMs - sentMs < LOST_AFTER_MS) break;
      pending.delete(key);
      totals.lost++;
    }
  };
  socket.connect(Number(port), address, () => {
    setInterval(turn, 2);
    setInterval(() => {
      console.log(JSON.stringify(totals));
      totals.longestMs = 0;
    }, 1000);
  });
}

/** RFC 1035 section 4.1; recursion desired, type A, class IN. */
function compose(name: string): Buffer {
  const labels = name.split(".").map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`));
  return Buffer.concat([
    Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    ...labels,
    Buffer.from([0, 0, 1, 0, 1]),
  ]);
}

main(process.argv.slice(2));
