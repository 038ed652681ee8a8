import type { AgentProcess } from "../support/agent-process.ts";
import { ControlPlaneLink } from "../support/control-plane-link.ts";
import { pause } from "../support/control-plane-process.ts";
import { untilFirstAnswer } from "../support/dns-probe.ts";
import type { BenchRun, Figure } from "./bench-run.ts";
import { runDnsperf } from "./dnsperf.ts";
import { percentile } from "./statistics.ts";

/** A query every half millisecond. */
const PROBES_PER_SECOND = 2000;
const SECONDS = 20;
/** A started API server has more to do than to answer. */
const SETTLE_MS = 5000;

/**
 * The longest that a query waits while 10,000 Services and 10,000 slices are listed.
 *
 * The agent reaches the API server over a link that is cut while queries begin to flow and restored under them: once with an
 * empty data directory, and once after an API server was restarted with a later revision, so that the agent's watches cannot
 * go on (410 Gone). A run without any list shows what the machine itself adds: subtract it in thought.
 */
export async function stallSection(run: BenchRun): Promise<Figure[]> {
  await run.addServiceSlices();
  const link = await ControlPlaneLink.open(run.plane, "agent");
  try {
    link.cut();
    const agent = await run.createAgent({ endpoints: "all", kubeconfig: link.kubeconfig });
    agent.spawn();
    const first = await longestWaitMs(run, agent, "first list", link);
    link.cut();
    await advanceRevision(run);
    const relist = await longestWaitMs(run, agent, "relist after a 410", link);
    const quiet = await longestWaitMs(run, agent, "no list", link);
    await run.end(agent);
    return [
      row("no list (noise of the machine)", quiet, ""),
      row("first list of 10k + 10k", first, "<= 5 ms"),
      row("relist of 10k + 10k after a 410", relist, "<= 5 ms"),
    ];
  } finally {
    link.close();
  }
}

function row(what: string, holdfast: number, goal: string): Figure {
  return { name: `longest wait, ${what}`, unit: "ms", holdfast, coredns: undefined, goal };
}

async function longestWaitMs(
  run: BenchRun,
  agent: AgentProcess,
  what: string,
  link: ControlPlaneLink,
): Promise<number> {
  await untilFirstAnswer({
    port: agent.port,
    qname: "dns-version.cluster.local",
    qtype: "TXT",
    isRight: () => true,
    startedAtMs: agent.startedAtMs,
    timeoutMs: 10_000,
  });
  const listsBefore = await countLists(run);
  const load = runDnsperf({
    port: agent.port,
    queryFile: run.queryFile,
    seconds: SECONDS,
    queriesPerSecond: PROBES_PER_SECOND,
    withLatencies: true,
  });
  link.restore();
  await agent.waitLive();
  const { latenciesMs, lost } = await load;
  const lists = (await countLists(run)) - listsBefore;
  const p999 = percentile(latenciesMs, 0.999);
  console.log(
    `# ${what}: ${lists} lists, ${latenciesMs.length} replies, ${lost} lost, p99.9 ${p999.toFixed(2)} ms`,
  );
  console.log(`# the agent's own meters so far: ${await ownMeters(agent)}`);
  return lost > 0 ? Infinity : percentile(latenciesMs, 1);
}

/** A restarted API server cannot continue a watch from a revision older than its own start. */
async function advanceRevision(run: BenchRun): Promise<void> {
  const metadata = { namespace: "default", name: `revision-${process.pid}` };
  await run.writer.create({ kind: "ConfigMap", apiVersion: "v1", metadata });
  await run.plane.kill("kube-apiserver");
  await run.plane.startComponent("kube-apiserver");
  await pause(SETTLE_MS);
}

/** What the agent says of its DNS loop: a wait that it does not know of was spent elsewhere, such as waiting for a core. */
async function ownMeters(agent: AgentProcess): Promise<string> {
  const meters = await agent.metrics();
  return ["holdfast_event_loop_delay_max_seconds", "holdfast_delta_apply_max_seconds"]
    .map((name) => {
      const seconds = Number(new RegExp(`^${name} (\\S+)$`, "m").exec(meters)?.[1]);
      return `${name} ${(seconds * 1000).toFixed(2)} ms`;
    })
    .join(", ");
}

/** Lists by the agent, streamed ones (WatchList) included. */
async function countLists(run: BenchRun): Promise<number> {
  const requests = await run.plane.auditedRequests();
  return requests.filter(
    ({ user, verb, uri }) => user === "agent" && (verb === "list" || uri.includes("sendInitialEvents=true")),
  ).length;
}
