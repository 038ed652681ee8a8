import { writeHeadless } from "../support/api-writer-cluster.ts";
import { pause } from "../support/control-plane-process.ts";
import type { BenchRun, Figure, Server } from "./bench-run.ts";
import { runDnsperf } from "./dnsperf.ts";
import { mebibytes } from "./statistics.ts";

const SETTLE_MS = 10_000;
const LOAD_SECONDS = 5;
/** Every fifth has both families, so 150,000 endpoints in all. */
const HEADLESS_SERVICES = 1250;
const ENDPOINTS_EACH = 100;

/** Resident memory of each server, helper processes included, after the first list and after load. */
export async function rssSection(run: BenchRun): Promise<Figure[]> {
  const plain = await compare(run, "10,000 Services", "<= 80 MiB, below CoreDNS");
  await run.addServiceSlices();
  const withSlices = await compare(run, "10,000 Services, 10,000 slices", "");
  return [...plain, ...withSlices];
}

/** The cluster keeps the headless Services afterwards: this section runs last. */
export async function headlessRssSection(run: BenchRun): Promise<Figure[]> {
  const { services, slices } = await writeHeadless(
    run.writer,
    run.cluster.namespaces,
    HEADLESS_SERVICES,
    ENDPOINTS_EACH,
  );
  const endpoints = slices.reduce((sum, slice) => sum + slice.endpoints.length, 0);
  const what = `10,000 Services, ${services.length} headless with ${endpoints} endpoints`;
  return compare(run, what, "<= 120 MiB");
}

async function compare(run: BenchRun, what: string, goal: string): Promise<Figure[]> {
  const agent = await run.startAgent();
  const coredns = await run.startCoreDns();
  await pause(SETTLE_MS);
  const idle = [agent, coredns].map(residentMebibytes);
  for (const { port } of [agent, coredns])
    await runDnsperf({ port, queryFile: run.queryFile, seconds: LOAD_SECONDS });
  const loaded = [agent, coredns].map(residentMebibytes);
  const peak = [agent, coredns].map((server) => mebibytes(server.usage().peakRssBytes));
  await agent.waitForSnapshot();
  await agent.restart();
  await agent.waitLive();
  await pause(SETTLE_MS);
  const restarted = residentMebibytes(agent);
  await run.end(agent, coredns);
  const row = (when: string, [holdfast, other]: readonly (number | undefined)[], rowGoal: string): Figure => {
    return { name: `RSS ${when}, ${what}`, unit: "MiB", holdfast, coredns: other, goal: rowGoal };
  };
  return [
    row("after the list", idle, goal),
    row("after load", loaded, goal),
    row("at its peak", peak, ""),
    row("after a restart", [restarted, undefined], goal),
  ];
}

function residentMebibytes(server: Server): number {
  return mebibytes(server.usage().rssBytes);
}
