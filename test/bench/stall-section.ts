import type { AgentProcess } from "../support/agent-process.ts";
import { ControlPlaneLink } from "../support/control-plane-link.ts";
import { pause } from "../support/control-plane-process.ts";
import { untilFirstAnswer } from "../support/dns-probe.ts";
import type { BenchRun, Figure } from "./bench-run.ts";
import { runDnsperf } from "./dnsperf.ts";
import { median, percentile } from "./statistics.ts";
import { UdpEcho } from "./udp-echo.ts";

/** A query each millisecond. */
const PROBES_PER_SECOND = 1000;
const SECONDS = 15;
/** A started API server has more to do than to answer. */
const SETTLE_MS = 5000;
/** The longest of 15,000 waits is a matter of luck, the median of several runs less so. More would exhaust the agent's budget of requests. */
const RELISTS = 3;

/**
 * The longest that a query waits while 10,000 Services and 10,000 slices are listed.
 *
 * The agent reaches the API server over a link that is cut while queries begin to flow and restored under them: once with an
 * empty data directory, and then after an API server was restarted with a later revision, so that the agent's watches cannot
 * go on (410 Gone). Beside the agent, at the same rate and at the same moment, an echo that does nothing is asked: what it takes
 * longest is what the machine adds, whose two cores list, serve and ask at once.
 */
export async function stallSection(run: BenchRun): Promise<Figure[]> {
  await run.addServiceSlices();
  const link = await ControlPlaneLink.open(run.plane, "agent");
  const echo = await UdpEcho.start();
  try {
    link.cut();
    const agent = await run.createAgent({ endpoints: "all", kubeconfig: link.kubeconfig });
    agent.spawn();
    const listen = (what: string) => longestWaits(run, { agent, echo, link }, what);
    const first = await listen("first list");
    const relists: Waits[] = [];
    for (let count = 1; count <= RELISTS; count++) {
      link.cut();
      await advanceRevision(run, count);
      relists.push(await listen(`relist ${count} after a 410`));
    }
    const quiet = await listen("no list");
    await run.end(agent);
    return [
      ...rows("no list", [quiet], ""),
      ...rows("first list of 10k + 10k", [first], ""),
      ...rows(`relist of 10k + 10k after a 410, median of ${RELISTS}`, relists, "<= 5 ms"),
    ];
  } finally {
    await echo.close();
    link.close();
  }
}

interface Waits {
  readonly agentMs: number;
  readonly echoMs: number;
}

function rows(what: string, waits: readonly Waits[], goal: string): Figure[] {
  const longest = { unit: "ms", coredns: undefined };
  const agentMs = median(waits.map((wait) => wait.agentMs));
  const echoMs = median(waits.map((wait) => wait.echoMs));
  return [
    { ...longest, name: `longest wait, ${what}`, holdfast: agentMs, goal },
    { ...longest, name: "  the echo beside it", holdfast: echoMs, goal: "" },
  ];
}

interface Stage {
  readonly agent: AgentProcess;
  readonly echo: UdpEcho;
  readonly link: ControlPlaneLink;
}

async function longestWaits(run: BenchRun, { agent, echo, link }: Stage, what: string): Promise<Waits> {
  await untilFirstAnswer({
    port: agent.port,
    qname: "dns-version.cluster.local",
    qtype: "TXT",
    isRight: () => true,
    startedAtMs: agent.startedAtMs,
    timeoutMs: 10_000,
  });
  const listsBefore = await countLists(run);
  const loads = [agent.port, echo.port].map((port) =>
    runDnsperf({
      port,
      queryFile: run.queryFile,
      seconds: SECONDS,
      queriesPerSecond: PROBES_PER_SECOND,
      withLatencies: true,
    }),
  );
  link.restore();
  await agent.waitLive();
  const [ours, theirs] = await Promise.all(loads);
  const lists = (await countLists(run)) - listsBefore;
  const { latenciesMs, lost } = ours;
  const p999 = percentile(latenciesMs, 0.999);
  console.log(
    `# ${what}: ${lists} lists, ${latenciesMs.length} replies, ${lost} lost, p99.9 ${p999.toFixed(2)} ms`,
  );
  const waits = { agentMs: percentile(latenciesMs, 1), echoMs: percentile(theirs.latenciesMs, 1) };
  console.log(`#   longest ${waits.agentMs.toFixed(2)} ms, of the echo ${waits.echoMs.toFixed(2)} ms`);
  console.log(`#   the agent's own meters so far: ${await ownMeters(agent)}`);
  return lost > 0 ? { ...waits, agentMs: Infinity } : waits;
}

/** A restarted API server cannot continue a watch from a revision older than its own start. */
async function advanceRevision(run: BenchRun, count: number): Promise<void> {
  const metadata = { namespace: "default", name: `revision-${process.pid}-${count}` };
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
