/**
 * CPU time of the server process per query over UDP, with a handler that only echoes: what sockets and runtime cost
 * before the first octet of DNS is looked at. Load comes from dnsperf (2.10 or newer, on the PATH) on loopback.
 *
 *     node test/bench/udp.bench.ts [seconds per run] [rounds] [queries per second, 0 = as fast as it can]
 *
 * Rounds are interleaved and the median is printed: compare variants of one run, never of two machines.
 */
import { spawn, fork } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/base/clock.ts";
import type { Logger } from "../../src/base/logger.ts";
import { TRANSPORT_UDP } from "../../src/dns/transport.ts";
import { lookupLiteral } from "../../src/server/bind-probe.ts";
import { DnsServer } from "../../src/server/dns-server.ts";
import type { QueryHandler } from "../../src/server/query-handler.ts";
import { ServerMeters } from "../../src/server/server-meters.ts";

const VARIANTS = ["holdfast", "default lookup", "literal lookup", "send callback", "list of views"] as const;
type Variant = (typeof VARIANTS)[number];

const QUESTIONS = [
  "web-1.shop.svc.cluster.local A",
  "web-1.shop.svc.cluster.local AAAA",
  "gone.shop.svc.cluster.local A",
];

interface Sample {
  readonly microsecondsPerQuery: number;
  readonly queries: number;
  readonly rssMiB: number;
}

const echo: QueryHandler = (query, length, out) => {
  out.set(query);
  out[2] |= 0x84;
  return length;
};
function ignoreOutcome(): void {}
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

if (process.send !== undefined) await serve(process.argv[2] as Variant);
else await compare(Number(process.argv[2] ?? 3), Number(process.argv[3] ?? 5), Number(process.argv[4] ?? 0));

/** The child: one server, measured between the messages "start" and "stop". */
async function serve(variant: Variant): Promise<void> {
  const { port, count } = variant === "holdfast" ? await openHoldfast() : await openPlain(variant);
  let cpuAtStart = process.cpuUsage();
  let queriesAtStart = 0;
  process.on("message", (message) => {
    if (message === "start") {
      cpuAtStart = process.cpuUsage();
      queriesAtStart = count();
      return;
    }
    const { user, system } = process.cpuUsage(cpuAtStart);
    const queries = count() - queriesAtStart;
    const rssMiB = Math.round(process.memoryUsage.rss() / 2 ** 20);
    process.send?.({ microsecondsPerQuery: (user + system) / queries, queries, rssMiB } satisfies Sample);
  });
  process.on("disconnect", () => process.exit());
  process.send?.(port);
}

async function openHoldfast(): Promise<{ port: number; count: () => number }> {
  const meters = new ServerMeters();
  const context = { handler: echo, meters, clock: systemClock, log: silent };
  const server = new DnsServer([{ family: 4, address: "127.0.0.1", port: 0 }], context);
  await server.start();
  return { port: server.status()[0].address.port, count: () => meters.udpQueries };
}

/** `dgram` used in other ways, without any of our safeguards. */
async function openPlain(variant: Variant): Promise<{ port: number; count: () => number }> {
  const lookup = variant === "default lookup" ? {} : { lookup: lookupLiteral };
  const socket = createSocket({ type: "udp4", ...lookup });
  let queries = 0;
  const out = Buffer.allocUnsafeSlow(1232);
  const send = chooseSend(variant, socket, out);
  socket.on("message", (query, from) => {
    queries++;
    send(echo(query, query.length, out, TRANSPORT_UDP), from.port, from.address);
  });
  // A literal lookup makes "listening" come before `bind` returns.
  await new Promise<void>((resolve) => {
    socket.bind(0, "127.0.0.1", resolve);
  });
  return { port: socket.address().port, count: () => queries };
}

function chooseSend(
  variant: Variant,
  socket: Socket,
  out: Buffer,
): (length: number, port: number, address: string) => void {
  const views = Array.from({ length: out.length + 1 }, (_, length) => out.subarray(0, length));
  switch (variant) {
    case "send callback":
      return (length, port, address) => socket.send(out, 0, length, port, address, ignoreOutcome);
    case "list of views":
      return (length, port, address) => socket.send([views[length]], port, address);
    default:
      return (length, port, address) => socket.send(out, 0, length, port, address);
  }
}

async function compare(seconds: number, rounds: number, queriesPerSecond: number): Promise<void> {
  const samples = new Map<Variant, Sample[]>(VARIANTS.map((variant) => [variant, []]));
  for (let round = 0; round < rounds; round++) {
    for (const variant of VARIANTS)
      samples.get(variant)?.push(await measure(variant, seconds, queriesPerSecond));
  }
  console.log(
    `node ${process.version}, ${rounds} x ${seconds} s, ${queriesPerSecond || "unlimited"} queries/s`,
  );
  for (const [variant, runs] of samples) {
    runs.sort((a, b) => a.microsecondsPerQuery - b.microsecondsPerQuery);
    const { microsecondsPerQuery, queries, rssMiB } = runs[runs.length >> 1];
    const rate = Math.round(queries / seconds);
    console.log(
      `${variant.padEnd(16)} ${microsecondsPerQuery.toFixed(2)} us/query  ${rate}/s  ${rssMiB} MiB`,
    );
  }
}

async function measure(variant: Variant, seconds: number, queriesPerSecond: number): Promise<Sample> {
  const child = fork(fileURLToPath(import.meta.url), [variant]);
  const [port] = (await once(child, "message")) as [number];
  await load(port, 1, queriesPerSecond);
  child.send("start");
  await load(port, seconds, queriesPerSecond);
  child.send("stop");
  const [sample] = (await once(child, "message")) as [Sample];
  child.disconnect();
  return sample;
}

async function load(port: number, seconds: number, queriesPerSecond: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "udp-bench-"));
  try {
    const questions = join(folder, "questions");
    await writeFile(questions, QUESTIONS.join("\n"));
    const limit = queriesPerSecond === 0 ? [] : ["-Q", String(queriesPerSecond)];
    const target = ["-s", "127.0.0.1", "-p", String(port), "-d", questions];
    const dnsperf = spawn("dnsperf", [...target, "-l", String(seconds), "-c", "4", ...limit], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const [code] = await once(dnsperf, "exit");
    if (code !== 0) throw new Error(`dnsperf ended with ${code}`);
  } finally {
    await rm(folder, { recursive: true });
  }
}
