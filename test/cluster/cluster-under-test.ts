import { after, test, type TestContext } from "node:test";
import { orSkip } from "../e2e/cluster-under-test.ts";
import { ClusterNode, type ClusterNodeOptions } from "../support/node/cluster-node.ts";
import { Cluster } from "../support/node/cluster.ts";

/** A cluster for the tests of one file: started by the first that needs it, and closed after the last. */
export interface SharedCluster {
  open(): Promise<Cluster>;
}

type NodeOptionsSource = () => ClusterNodeOptions | Promise<ClusterNodeOptions>;

/** The cluster of `$KUBECONFIG` where that is set, else a node of our own. */
export function sharedCluster(options: NodeOptionsSource = () => ({})): SharedCluster {
  const given = process.env["KUBECONFIG"] ?? "";
  let opening: Promise<Cluster> | undefined;
  after(async () => {
    const cluster = await opening?.catch(() => undefined);
    if (cluster instanceof ClusterNode) await cluster.close();
  });
  return {
    open() {
      opening ??= given === "" ? startNode(options) : Cluster.given(given);
      return opening;
    },
  };
}

async function startNode(options: NodeOptionsSource): Promise<ClusterNode> {
  return ClusterNode.start(await options());
}

/**
 * A test on any cluster. Where there is none, and no node can be started (not root, packages or programs missing), it is skipped
 * and says so; in CI (`CI=true`) that is a failure.
 */
export function clusterTest(
  name: string,
  shared: SharedCluster,
  body: (cluster: Cluster, t: TestContext) => Promise<void>,
): void {
  test(name, async (t) => {
    const cluster = await orSkip(t, () => shared.open());
    if (cluster !== undefined) await body(cluster, t);
  });
}

/** A test that needs a node of our own: it kills components, scales CoreDNS, or acts on the node. */
export function nodeTest(
  name: string,
  shared: SharedCluster,
  body: (node: ClusterNode, t: TestContext) => Promise<void>,
): void {
  clusterTest(name, shared, async (cluster, t) => {
    if (cluster instanceof ClusterNode) return body(cluster, t);
    console.warn(`# NOT RUN: ${t.name}: the cluster of KUBECONFIG is not ours to break`);
    t.skip("the cluster of KUBECONFIG is not ours to break");
  });
}
