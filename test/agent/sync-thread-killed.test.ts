import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import {
  clusterIpService,
  FAILURES,
  kubeconfigText,
  qnameOf,
  sampleCluster,
  writeSaboteur,
} from "../support/agent-fixtures.ts";
import { pause } from "../support/control-plane-process.ts";
import type { DnsProbe } from "../support/dns-probe.ts";
import { startEmbeddedApi } from "../support/embedded-api.ts";
import { RunningAgent } from "../support/running-agent.ts";

/** One of each kind: the pauses between threads double each time. */
const KILLS = 3;
const CHANGES = 10;
const CLUSTER = sampleCluster(200);

/** Park and Miller's generator: enough for "at any moment", and the same again for the same seed. */
function seededRandom(seed: number): () => number {
  let state = (seed % 2147483646) + 1;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** Asks for all names in turn, four at a time, until told to end; whatever is not the right answer is written down. */
class Load {
  readonly missed: string[] = [];
  asked = 0;
  readonly #probe: DnsProbe;
  readonly #workers: Promise<void>[];
  #isEnding = false;

  constructor(probe: DnsProbe) {
    this.#probe = probe;
    this.#workers = Array.from({ length: 4 }, () => this.#run());
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(this.#workers);
  }

  async #run(): Promise<void> {
    while (!this.#isEnding) {
      const { qname, addresses } = CLUSTER.expected[this.asked++ % CLUSTER.expected.length];
      try {
        const { rcode, answers } = await this.#probe.query(qname, "A");
        const found = answers.map((answer) => answer.split(" ")[2]).toSorted();
        if (found.join() !== addresses.join()) this.missed.push(`${qname}: ${rcode} ${found.join()}`);
      } catch (error) {
        this.missed.push(`${qname}: ${String(error)}`);
      }
    }
  }
}

test("the sync thread dies at random moments: no query is missed, and the state is right again", async (t) => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
  t.diagnostic(`SEED=${seed}`);
  const random = seededRandom(seed);
  const api = await startEmbeddedApi({ objects: CLUSTER.objects });
  t.after(() => api.close());
  const agent = await RunningAgent.prepare(t);
  const kubeconfig = join(agent.directory, "kubeconfig");
  await writeFile(kubeconfig, kubeconfigText(api.url));
  const saboteur = await writeSaboteur(agent.directory);
  agent.start({ options: [`--kubeconfig=${kubeconfig}`], env: { NODE_OPTIONS: saboteur.nodeOptions } });
  await agent.untilLive();
  const probe = await agent.probe();
  const load = new Load(probe);

  for (let kill = 1; kill <= KILLS; kill++) {
    // Some of it before the end of the thread, some under way, some after: the next one has to know all of it.
    for (let change = 0; change < CHANGES; change++)
      api.put(clusterIpService(`new-${kill}-${change}`, changedAddress(kill, change)));
    if (kill > 1) api.delete("Service", "default", `new-${kill - 1}-0`);
    await pause(random() * 300);
    await saboteur.fail(FAILURES[(seed + kill) % FAILURES.length]);
    await agent.untilStatus(`end ${kill} of the thread`, ({ syncWorker }) => syncWorker.restarts >= kill);
    // Half of the next threads are ended before they have learned anything.
    if (random() < 0.5) await agent.untilLive();
  }
  await agent
    .until("a state that is right", async () => ((await wrongNames(probe)).length === 0 ? true : undefined))
    .catch(async () => assert.deepEqual(await wrongNames(probe), []));
  const { syncWorker } = await agent.untilLive();
  assert.match(syncWorker.lastFailure, /made to throw|exit code 7|memory/);
  await load.end();
  assert.deepEqual(load.missed.slice(0, 5), [], `${load.missed.length} of ${load.asked} missed`);
  assert.ok(load.asked > CLUSTER.expected.length);
  assert.deepEqual((await probe.query(qnameOf("web-1"), "A")).extendedErrors, []);
});

/** Of those that changed between the kills. */
async function wrongNames(probe: DnsProbe): Promise<string[]> {
  const wrong: string[] = [];
  for (let kill = 1; kill <= KILLS; kill++) {
    for (let change = 0; change < CHANGES; change++) {
      const name = `new-${kill}-${change}`;
      const isDeleted = change === 0 && kill < KILLS;
      const { rcode, answers } = await probe.query(qnameOf(name), "A");
      const found = `${rcode} ${answers.map((answer) => answer.split(" ")[2]).join()}`;
      if (found !== (isDeleted ? "NXDOMAIN " : `NOERROR ${changedAddress(kill, change)}`))
        wrong.push(`${name}: ${found}`);
    }
  }
  return wrong;
}

function changedAddress(kill: number, change: number): string {
  return `10.98.${kill}.${change + 1}`;
}
