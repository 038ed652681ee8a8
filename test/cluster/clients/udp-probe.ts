/**
 * Asks one DNS server for A records at a fixed rate, and prints what became of it: a program for a pod.
 *
 * usage: udp-probe.ts ADDRESS PORT QUERIES_PER_SECOND NAME=IPV4...
 *
 * Each second a line of JSON with the sums so far (`ProbeTotals`). A query that has no answer for a second is lost; only the address given
 * is right. Each query has a port of its own, as those of resolvers have: where two agents share a port, the kernel chooses by the address
 * and port of the client, and one port would show one agent. The rate does not depend on the answers.
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
  const totals = { sent: 0, answered: 0, lost: 0, wrong: 0, refused: 0, longestMs: 0 };
  const questions = pairs.map((pair) => {
    const [name, ipv4] = pair.split("=");
    return { query: compose(name), rdata: Buffer.from(ipv4.split(".").map(Number)) };
  });
  const ask = ({ query, rdata }: (typeof questions)[number]) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    const sentMs = performance.now();
    totals.sent++;
    let isAnswered = false;
    setTimeout(() => {
      // After the sockets were looked at once more: on a busy machine this process may have slept longer than the answer took.
      setImmediate(() =>
        setImmediate(() => {
          if (!isAnswered) totals.lost++;
          socket.close();
        }),
      );
    }, LOST_AFTER_MS);
    // A connected socket is told when nobody listens: the query stays lost, its second is over when it is counted.
    socket.on("error", () => totals.refused++);
    socket.on("message", (message) => {
      isAnswered = true;
      totals.answered++;
      totals.longestMs = Math.max(totals.longestMs, performance.now() - sentMs);
      if ((message[3] & 0x0f) !== 0 || !message.includes(rdata)) totals.wrong++;
    });
    socket.connect(Number(port), address, () => socket.send(query, () => undefined));
  };
  const startMs = performance.now();
  setInterval(() => {
    const due = Math.floor(((performance.now() - startMs) / 1000) * Number(rate));
    while (totals.sent < due) ask(questions[totals.sent % questions.length]);
  }, 2);
  setInterval(() => {
    console.log(JSON.stringify(totals));
    totals.longestMs = 0;
  }, 1000);
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
