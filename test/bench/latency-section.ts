import type { BenchRun, Figure, Server } from "./bench-run.ts";
import { runDnsperf } from "./dnsperf.ts";
import { median, percentile } from "./statistics.ts";

const ROUNDS = 3;
const ROUND_SECONDS = 5;
const QUERIES_PER_SECOND = 2000;

/** What a client waits at a rate that is far from saturation. */
export async function latencySection(run: BenchRun): Promise<Figure[]> {
  await run.addServiceSlices();
  const servers = [await run.startAgent(), await run.startCoreDns()] as const;
  const rounds: readonly [Latencies[], Latencies[]] = [[], []];
  for (const server of servers) await measure(run, server);
  for (let index = 0; index < ROUNDS; index++) {
    rounds[0].push(await measure(run, servers[0]));
    rounds[1].push(await measure(run, servers[1]));
  }
  await run.end(...servers);
  const rows = ["average", "p50", "p99", "max"] as const;
  return rows.map((row) => ({
    name: `latency at ${QUERIES_PER_SECOND}/s, ${row} (median of ${ROUNDS})`,
    unit: "ms",
    holdfast: median(rounds[0].map((latencies) => latencies[row])),
    coredns: median(rounds[1].map((latencies) => latencies[row])),
    goal: "",
  }));
}

interface Latencies {
  readonly average: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

async function measure(run: BenchRun, { port }: Server): Promise<Latencies> {
  const load = await runDnsperf({
    port,
    queryFile: run.queryFile,
    seconds: ROUND_SECONDS,
    queriesPerSecond: QUERIES_PER_SECOND,
    withLatencies: true,
  });
  const values = load.latenciesMs;
  return { average: load.averageMs, p50: median(values), p99: percentile(values, 0.99), max: load.maxMs };
}
