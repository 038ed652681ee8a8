import assert from "node:assert/strict";
import { printFigure } from "../e2e/cluster-under-test.ts";
import { waitUntil } from "../support/control-plane-process.ts";
import type { ClusterNode } from "../support/node/cluster-node.ts";
import type { ContainerName } from "../support/node/node-containers.ts";
import type { LookupTotals } from "./clients/lookups.ts";
import type { ProbeTotals } from "./clients/udp-probe.ts";
import { nodeTest, sharedCluster } from "./cluster-under-test.ts";
import { agentContainer, install, nodeWithImage, optIn, replaceAgent } from "./installed-chart.ts";
import { createServices, startLookups, startUdpProbe, type PodProgram } from "./pod-programs.ts";

/**
 * A pod of an opted-in namespace, with the defaults of the chart, while one thing after the other goes away. Each test goes on where the one
 * before ended.
 */

const LOOKUPS_PER_SECOND = 10;
const QUERIES_PER_SECOND = 100;
const OBSERVED_SECONDS = 10;
/** A container that is started again, by a kubelet that learns of its end once a second, until the first answer. */
const MAX_RESTART_MS = 6_000;

const shared = sharedCluster(() => nodeWithImage());

/** A pod with the nameservers that the policy gave it, and one that has only the agent. */
let lookups: PodProgram<LookupTotals>;
let probe: PodProgram<ProbeTotals>;
/** Found while there was an API server to ask. */
let agent: ContainerName;

async function observe(
  what: string,
  run: () => Promise<void> = () => Promise.resolve(),
): Promise<{ readonly looked: LookupTotals; readonly asked: ProbeTotals }> {
  const wait = async () => {
    await run();
    await Promise.all([lookups, probe].map((each) => each.read({ afterSeconds: OBSERVED_SECONDS })));
  };
  let waited: Promise<void> | undefined;
  const once = () => (waited ??= wait());
  const [looked, asked] = await Promise.all([lookups.during(once), probe.during(once)]);
  console.log(
    `# figure: ${what}: pod with both nameservers ${looked.done} lookups, ${looked.failed} failed, ${looked.wrong} wrong, ` +
      `longest ${looked.longestMs.toFixed(0)} ms; agent alone ${asked.sent} queries, ${asked.lost} lost, ${asked.wrong} wrong, ` +
      `longest ${asked.longestMs.toFixed(0)} ms`,
  );
  assert.equal(looked.wrong + asked.wrong, 0, `${what}: wrong answers`);
  return { looked, asked };
}

async function killAgent(node: ClusterNode, agent: ContainerName): Promise<void> {
  const killed = await node.containerId(agent);
  await node.killContainer(agent);
  const isBack = async () => ((await node.containerId(agent)) === killed ? undefined : true);
  await waitUntil("another agent", isBack, { timeoutMs: 30_000 });
}

nodeTest("all healthy: every lookup is answered", shared, async (node) => {
  await install(node);
  await optIn(node);
  await createServices(node);
  [lookups, probe] = await Promise.all([
    startLookups(node, "lookups", { resolver: "glibc", lookupsPerSecond: LOOKUPS_PER_SECOND }),
    startUdpProbe(node, "probe", { server: "169.254.53.53", queriesPerSecond: QUERIES_PER_SECOND }),
  ]);
  const { looked, asked } = await observe("all healthy");
  assert.deepEqual([looked.failed, asked.lost], [0, 0]);
});

nodeTest("the agent killed, CoreDNS there: no lookup fails", shared, async (node) => {
  const { looked, asked } = await observe("agent killed, CoreDNS healthy", async () =>
    killAgent(node, await agentContainer(node)),
  );
  assert.equal(looked.failed, 0);
  assert.ok(asked.lost < asked.sent);
  // A kubelet lets a container that fails again wait for 10 s; a new pod begins anew.
  await replaceAgent(node);
});

nodeTest("CoreDNS at 0: every lookup is answered", shared, async (node) => {
  const { looked, asked } = await observe("CoreDNS at 0", () => node.scaleCoreDns(0));
  assert.deepEqual([looked.failed, asked.lost], [0, 0]);
});

nodeTest("and the API server killed: every lookup is answered", shared, async (node) => {
  agent = await agentContainer(node);
  const { looked, asked } = await observe("CoreDNS at 0, API server killed", () =>
    node.kill("kube-apiserver"),
  );
  assert.deepEqual([looked.failed, asked.lost], [0, 0]);
});

nodeTest(
  "and the agent killed: lost is only what is asked while its container starts again",
  shared,
  async (node) => {
    const { asked } = await observe("CoreDNS at 0, API server and agent killed", () =>
      killAgent(node, agent),
    );
    const restartMs = (asked.lost * 1000) / QUERIES_PER_SECOND;
    printFigure(
      "restart of the agent's container without an API server, as a pod sees it",
      restartMs / 1000,
      "s",
    );
    assert.ok(restartMs < MAX_RESTART_MS, `${asked.lost} lost`);
    const { looked, asked: later } = await observe("after the restart, without API server and CoreDNS");
    assert.deepEqual([looked.failed, later.lost], [0, 0]);
  },
);

nodeTest("all back: every lookup is answered", shared, async (node) => {
  await node.startComponent("kube-apiserver");
  await node.scaleCoreDns(1);
  const { looked, asked } = await observe("all back");
  assert.deepEqual([looked.failed, asked.lost], [0, 0]);
});
