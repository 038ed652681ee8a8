import assert from "node:assert/strict";
import type { ClusterNode } from "../support/node/cluster-node.ts";
import { nodeTest, sharedCluster } from "./cluster-under-test.ts";
import {
  install,
  NEXT_TAG,
  nodeWithImage,
  optIn,
  provideNextImage,
  rollback,
  upgrade,
} from "./installed-chart.ts";
import { createServices, startUdpProbe } from "./pod-programs.ts";

/** While an agent is replaced, its neighbour answers: no query of a pod that has no other server is lost. */

const QUERIES_PER_SECOND = 200;
const SERVERS = { ipv4: "169.254.53.53", ipv6: "fd00:53::53" };

const shared = sharedCluster(() => nodeWithImage());

async function loseNothing(node: ClusterNode, what: string, replace: () => Promise<void>): Promise<void> {
  const start = async ([family, server]: [string, string]) => {
    const options = { server, queriesPerSecond: QUERIES_PER_SECOND };
    return { family, probe: await startUdpProbe(node, `${what}-${family}`, options) };
  };
  const probes = await Promise.all(Object.entries(SERVERS).map(start));
  let replaced: Promise<void> | undefined;
  const watched = probes.map(async ({ family, probe }) => {
    const { sent, lost, wrong, longestMs } = await probe.during(() => (replaced ??= replace()));
    console.log(
      `# figure: ${what}, ${family}: ${sent} asked, ${lost} lost, ${wrong} wrong, longest ${longestMs.toFixed(0)} ms`,
    );
    assert.deepEqual({ lost, wrong }, { lost: 0, wrong: 0 }, `${family}: of ${sent}`);
    await probe.end();
  });
  await Promise.all(watched);
}

nodeTest("helm upgrade to another image under load loses nothing", shared, async (node) => {
  await install(node);
  await optIn(node);
  await createServices(node);
  await provideNextImage(node);
  await loseNothing(node, "upgrade", () => upgrade(node, `image.tag="${NEXT_TAG}"`));
});

nodeTest("helm rollback under load loses nothing", shared, async (node) => {
  await loseNothing(node, "rollback", () => rollback(node));
});
