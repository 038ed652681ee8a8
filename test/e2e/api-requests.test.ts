import assert from "node:assert/strict";
import { test } from "node:test";
import { SMALL_CLUSTER } from "../support/control-plane-sizes.ts";
import { totalsAdded, type RequestTotals } from "../support/control-plane-requests.ts";
import { pause } from "../support/control-plane-process.ts";
import type { ControlPlane } from "../support/control-plane.ts";
import { openOwnCluster, startAgent } from "./cluster-under-test.ts";

/** One watch for each feed: EndpointSlices have two, those of headless Services and those that people made. */
const WATCHES = { namespaces: 1, services: 1, endpointslices: 2 } as const;
const OBSERVED_MS = 5000;

test(
  "a restart with a young snapshot costs one watch per feed and no list",
  { timeout: 120_000 },
  async (t) => {
    const opened = await openOwnCluster(t, SMALL_CLUSTER);
    if (opened === undefined) return;
    const { plane, kubeconfig } = opened;
    const { agent } = await startAgent(t, { kubeconfig });
    await agent.waitForSnapshot();
    await agent.kill();

    const totalsBefore = await settledTotals(plane);
    const auditedBefore = (await agentRequests(plane)).length;
    agent.spawn();
    await agent.waitLive();
    await pause(OBSERVED_MS);
    // The API server counts a watch when it ends.
    await agent.kill();
    const audited = (await agentRequests(plane)).slice(auditedBefore);
    const added = totalsAdded(totalsBefore, await settledTotals(plane));

    const seen = audited.map(({ verb, resource, uri }) => `${verb} ${resource} ${uri}`);
    const watches = audited.filter(({ verb }) => verb === "watch");
    assert.deepEqual(countByResource(watches), WATCHES, seen.join("\n"));
    assert.equal(audited.filter(({ verb }) => verb === "list").length, 0, seen.join("\n"));
    for (const { uri } of watches) {
      // Either would be a list in the clothes of a watch.
      assert.doesNotMatch(uri, /sendInitialEvents=true/);
      assert.match(uri, /resourceVersion=[1-9]/);
    }
    for (const [resource, count] of Object.entries(WATCHES)) {
      assert.equal(added.get(`WATCH ${resource}`), count, `apiserver_request_total of WATCH ${resource}`);
      assert.equal(added.get(`LIST ${resource}`) ?? 0, 0, `apiserver_request_total of LIST ${resource}`);
    }
    for (const { userAgent } of audited) assert.match(userAgent, /^holdfast\//);
  },
);

async function agentRequests(plane: ControlPlane) {
  return (await plane.auditedRequests()).filter(({ user }) => user === "agent");
}

function countByResource(requests: readonly { readonly resource: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { resource } of requests) counts[resource] = (counts[resource] ?? 0) + 1;
  return counts;
}

/** The counts once the API server has noticed that a killed client's watches are over: two equal readings. */
async function settledTotals(plane: ControlPlane): Promise<RequestTotals> {
  const relevant = async () => {
    const totals = await plane.requestTotals();
    const keys = Object.keys(WATCHES).flatMap((resource) => [`WATCH ${resource}`, `LIST ${resource}`]);
    return new Map(keys.map((key) => [key, totals.get(key) ?? 0]));
  };
  for (let last = await relevant(); ;) {
    await pause(500);
    const next = await relevant();
    if (totalsAdded(last, next).size === 0) return next;
    last = next;
  }
}
