import { plainService } from "../support/api-writer-cluster.ts";
import { pause } from "../support/control-plane-process.ts";
import { DnsProbe } from "../support/dns-probe.ts";
import type { BenchRun, Figure } from "./bench-run.ts";
import { percentile } from "./statistics.ts";

const CREATIONS = 1_000;
const GIVE_UP_MS = 10_000;
const PAUSE_BETWEEN_MS = 25;

/**
 * From a Service's creation to its first right answer, from both servers at once. They are asked in turn, and who is asked first
 * changes each time.
 *
 * Two beginnings: the API server's reply to the creation (a watch may be faster: then it counts as 0), and the request, which
 * adds what the API server takes, the same for both.
 */
export async function freshnessSection(run: BenchRun): Promise<Figure[]> {
  await run.addServiceSlices();
  const servers = [await run.startAgent(), await run.startCoreDns()] as const;
  const probes = [await DnsProbe.open(servers[0].port), await DnsProbe.open(servers[1].port)] as const;
  const creations: Creation[] = [];
  for (let index = 0; index < CREATIONS; index++) {
    creations.push(await createAndWait(run, probes, index));
    await pause(PAUSE_BETWEEN_MS);
  }
  for (const probe of probes) probe.close();
  await run.end(...servers);
  const sinceReply = (which: 0 | 1) =>
    creations.map(({ tookMs, apiMs }) => Math.max(0, tookMs[which] - apiMs));
  const sinceRequest = (which: 0 | 1) => creations.map(({ tookMs }) => tookMs[which]);
  return [
    ...rows("reply", sinceReply(0), sinceReply(1), "<= CoreDNS, <= 50 ms"),
    ...rows("request", sinceRequest(0), sinceRequest(1), "<= CoreDNS"),
  ];
}

function rows(since: string, ours: readonly number[], theirs: readonly number[], goal: string): Figure[] {
  return [0.5, 0.99, 1].map((share) => ({
    name: `API server's ${since} to answered, ${share === 1 ? "max" : `p${share * 100}`} of ${CREATIONS}`,
    unit: "ms",
    holdfast: percentile(ours, share),
    coredns: percentile(theirs, share),
    goal: share === 0.99 ? goal : "",
  }));
}

interface Creation {
  /** From the request to the first right answer: ours, CoreDNS's. */
  readonly tookMs: readonly [number, number];
  /** From the request to the API server's reply. */
  readonly apiMs: number;
}

async function createAndWait(
  run: BenchRun,
  probes: readonly [DnsProbe, DnsProbe],
  index: number,
): Promise<Creation> {
  const { namespaces } = run.cluster;
  const service = plainService(namespaces[index % namespaces.length], `fresh-${index}`);
  const qname = `${service.metadata.name}.${service.metadata.namespace}.svc.cluster.local`;
  const tookMs: [number, number] = [Infinity, Infinity];
  const startedMs = performance.now();
  let apiMs = Infinity;
  const creation = run.writer.create(service).then(() => (apiMs = performance.now() - startedMs));
  for (let turn = index; Math.max(...tookMs) === Infinity; turn++) {
    const which = (turn & 1) as 0 | 1;
    if (tookMs[which] !== Infinity) continue;
    const reply = await probes[which].queryUdp(qname, "A");
    const elapsedMs = performance.now() - startedMs;
    if (reply.answers.length === 1) tookMs[which] = elapsedMs;
    else if (elapsedMs > GIVE_UP_MS) throw new Error(`${qname} is not answered after ${GIVE_UP_MS} ms`);
    // A tight loop would take the CPU from what it measures; the pause is the same for both.
    else await pause(1);
  }
  await creation;
  return { tookMs, apiMs };
}
