import type { BenchRun, Figure, Server } from "./bench-run.ts";
import { runDnsperf } from "./dnsperf.ts";
import { median } from "./statistics.ts";

const ROUNDS = 5;
const WARM_UP_SECONDS = 3;
const ROUND_SECONDS = 4;

interface Round {
  readonly cpuMicrosPerQuery: number;
  readonly queriesPerSecond: number;
}

/** CPU time of the server for each query at saturation; the servers take turns, so that a disturbance meets both. */
export async function cpuSection(run: BenchRun): Promise<Figure[]> {
  await run.addServiceSlices();
  const servers = [await run.startAgent(), await run.startCoreDns()] as const;
  for (const { port } of servers) {
    const load = await runDnsperf({ port, queryFile: run.queryFile, seconds: WARM_UP_SECONDS });
    // A server that refuses is fast: both must have said the same.
    console.log(`# response codes: ${load.responseCodes}`);
  }
  const rounds: readonly [Round[], Round[]] = [[], []];
  for (let index = 0; index < ROUNDS; index++) {
    rounds[0].push(await measure(run, servers[0]));
    rounds[1].push(await measure(run, servers[1]));
  }
  await run.end(...servers);
  const [holdfast, coredns] = rounds.map((own) => median(own.map((round) => round.cpuMicrosPerQuery)));
  const [ourRate, theirRate] = rounds.map((own) => median(own.map((round) => round.queriesPerSecond)));
  return [
    { name: "CPU per query, median", unit: "us", holdfast, coredns, goal: "<= 0.45 of CoreDNS" },
    { name: "queries at saturation, median", unit: "/s", holdfast: ourRate, coredns: theirRate, goal: "" },
  ];
}

async function measure(run: BenchRun, server: Server): Promise<Round> {
  const before = server.usage().cpuMicros;
  const load = await runDnsperf({ port: server.port, queryFile: run.queryFile, seconds: ROUND_SECONDS });
  const cpuMicros = server.usage().cpuMicros - before;
  if (load.lost > 0) console.log(`# ${load.lost} of ${load.completed} queries lost at saturation`);
  return { cpuMicrosPerQuery: cpuMicros / load.completed, queriesPerSecond: load.queriesPerSecond };
}
