import { spawnSync } from "node:child_process";
import type { AgentProcess } from "../support/agent-process.ts";
import type { ServiceObject } from "../support/api-writer-cluster.ts";
import { untilFirstAnswer } from "../support/dns-probe.ts";
import type { BenchRun, Figure, Server } from "./bench-run.ts";
import { median } from "./statistics.ts";

const ROUNDS = 5;
const ANSWER_TIMEOUT_MS = 60_000;
/** How long CoreDNS is given without an API server: long enough to show that it is not merely slow. */
const PATIENCE_MS = 15_000;

/** From exec to the first right answer, asked for every millisecond. */
export async function startupSection(run: BenchRun): Promise<Figure[]> {
  const service = run.cluster.services[run.cluster.services.length >> 1];
  const empty: number[] = [];
  const coredns: number[] = [];
  for (let index = 0; index < ROUNDS; index++) {
    const agent = await run.createAgent();
    agent.spawn();
    empty.push(await firstAnswerMs(agent, service));
    await run.end(agent);
    const other = await run.spawnCoreDns();
    coredns.push(await firstAnswerMs(other, service));
    await run.end(other);
  }
  const agent = await run.startAgent();
  await agent.waitForSnapshot();
  const restored = await restarts(agent, service);
  await run.plane.kill("kube-apiserver");
  const alone = await restarts(agent, service);
  const other = await run.spawnCoreDns();
  const never = await firstAnswerMs(other, service, PATIENCE_MS).catch(() => undefined);
  await run.end(agent, other);
  await run.plane.startComponent("kube-apiserver");
  if (never === undefined)
    console.log(`# CoreDNS without an API server: no answer in ${PATIENCE_MS / 1000} s`);
  return [
    row("empty, with the API server", empty, median(coredns), ""),
    row("snapshot, with the API server", restored, undefined, "<= 300 ms"),
    row("snapshot, without the API server", alone, never, "<= 300 ms"),
    {
      name: "exec to exit, bare Node.js on this machine now",
      unit: "ms",
      holdfast: median(bareNodeMs()),
      coredns: undefined,
      goal: "",
    },
  ];
}

/** What the runtime itself takes: below this nobody gets, and on a busy machine it tells how busy. */
function bareNodeMs(): number[] {
  return Array.from({ length: ROUNDS }, () => {
    const startedAtMs = performance.now();
    spawnSync(process.execPath, ["-e", ""]);
    return performance.now() - startedAtMs;
  });
}

function row(when: string, ours: readonly number[], coredns: number | undefined, goal: string): Figure {
  return { name: `exec to first answer, ${when}`, unit: "ms", holdfast: median(ours), coredns, goal };
}

async function restarts(agent: AgentProcess, service: ServiceObject): Promise<number[]> {
  const tookMs: number[] = [];
  for (let index = 0; index < ROUNDS; index++) {
    await agent.restart();
    tookMs.push(await firstAnswerMs(agent, service));
  }
  return tookMs;
}

async function firstAnswerMs(
  server: Server,
  { metadata, spec }: ServiceObject,
  timeoutMs = ANSWER_TIMEOUT_MS,
): Promise<number> {
  const qname = `${metadata.name}.${metadata.namespace}.svc.cluster.local`;
  const answer = `${qname} A ${spec.clusterIPs?.[0]}`;
  const { tookMs } = await untilFirstAnswer({
    port: server.port,
    qname,
    qtype: "A",
    isRight: ({ answers }) => answers.length === 1 && answers[0] === answer,
    startedAtMs: server.startedAtMs,
    timeoutMs,
  });
  return tookMs;
}
