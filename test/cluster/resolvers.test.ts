import assert from "node:assert/strict";
import type { ClusterNode } from "../support/node/cluster-node.ts";
import type { LookupTotals } from "./clients/lookups.ts";
import { nodeTest, sharedCluster } from "./cluster-under-test.ts";
import { install, nodeWithImage, optIn, upgrade } from "./installed-chart.ts";
import { createServices, RESOLVERS, startLookups, type Resolver } from "./pod-programs.ts";

/**
 * What pods see of an outage of CoreDNS, by their resolver and by what the chart gave them. In a pod, because the kernel limits the ICMP
 * messages that tell of a closed port for each destination, and not on loopback: most queries to a server that is gone meet silence.
 */

const LOOKUPS_PER_SECOND = 10;
const OBSERVED_SECONDS = 30;
const MAX_PRIMARY_MS = 100;
const AGENT = "169.254.53.53";

const shared = sharedCluster(() => nodeWithImage());

/** One row of a table for each resolver. */
async function observeAll(node: ClusterNode, what: string): Promise<Map<Resolver, LookupTotals>> {
  const observe = async (resolver: Resolver): Promise<[Resolver, LookupTotals]> => {
    const pod = `${what}-${resolver}`.toLowerCase().replaceAll(/[^a-z]+/g, "-");
    const lookups = await startLookups(node, pod, { resolver, lookupsPerSecond: LOOKUPS_PER_SECOND });
    const wait = async () => void (await lookups.read({ afterSeconds: OBSERVED_SECONDS }));
    const sums = await lookups.during(wait);
    await lookups.end();
    const percent = (count: number) => `${((100 * count) / sums.done).toFixed(1)} %`;
    console.log(
      `# figure: CoreDNS at 0, ${what}, ${resolver}: ${sums.done} lookups, worst ${sums.longestMs.toFixed(0)} ms, ` +
        `over 1 s ${percent(sums.over1000Ms)}, over 100 ms ${percent(sums.over100Ms)}, failed ${sums.failed}, wrong ${sums.wrong}`,
    );
    return [resolver, sums];
  };
  return new Map(await Promise.all(RESOLVERS.map(observe)));
}

nodeTest(
  "role fallback, as the chart is by default: nothing fails, some lookups wait",
  shared,
  async (node) => {
    await install(node);
    await optIn(node);
    await createServices(node);
    await node.scaleCoreDns(0);
    for (const [resolver, { failed, wrong }] of await observeAll(node, "fallback"))
      assert.deepEqual({ failed, wrong }, { failed: 0, wrong: 0 }, resolver);
  },
);

nodeTest("role fallback with the node's ICMP limit lifted", shared, async (node) => {
  await upgrade(node, "linkLocal.liftIcmpLimit=true");
  for (const [resolver, { failed, wrong }] of await observeAll(node, "fallback, limit lifted"))
    assert.deepEqual({ failed, wrong }, { failed: 0, wrong: 0 }, resolver);
});

nodeTest("role primary: no lookup waits", shared, async (node) => {
  await upgrade(node, 'role="primary"', 'clusterDNS.address="10.96.0.10"');
  await optIn(
    node,
    ({ dnsPolicy, dnsConfig }) => dnsPolicy === "None" && dnsConfig?.nameservers[0] === AGENT,
  );
  for (const [resolver, { failed, wrong, longestMs }] of await observeAll(node, "primary")) {
    assert.deepEqual({ failed, wrong }, { failed: 0, wrong: 0 }, resolver);
    assert.ok(longestMs <= MAX_PRIMARY_MS, `${resolver}: ${longestMs} ms`);
  }
});
