import type { TestContext } from "node:test";
import { AssetsUnavailable } from "../../scripts/build-assets.ts";
import { AgentProcess, type AgentOptions } from "../support/agent-process.ts";
import {
  namespaceObject,
  writeCluster,
  type Cluster,
  type ClusterSize,
} from "../support/api-writer-cluster.ts";
import { writerForKubeconfig } from "../support/api-writer-kubeconfig.ts";
import type { ApiWriter } from "../support/api-writer.ts";
import { startPreparedControlPlane } from "../support/control-plane-prepared.ts";
import type { ControlPlane } from "../support/control-plane.ts";
import { DnsProbe } from "../support/dns-probe.ts";

export interface OwnCluster extends AnyCluster {
  /** Tests may kill its components. */
  readonly plane: ControlPlane;
}

export interface AnyCluster {
  readonly writer: ApiWriter;
  readonly cluster: Cluster;
  readonly kubeconfig: string;
  /** For a second client, so that its requests can be told apart where the cluster is ours. */
  readonly otherKubeconfig: string;
}

/**
 * A control plane of the test's own, ended with the test. Undefined, and the test skipped loudly, where the programs can neither
 * be found nor built; in CI (`CI=true`) that is a failure.
 */
export async function openOwnCluster(t: TestContext, size: ClusterSize): Promise<OwnCluster | undefined> {
  const prepared = await orSkip(t, () => startPreparedControlPlane(size));
  if (prepared === undefined) return undefined;
  t.after(() => prepared.close());
  const { plane, writer, cluster } = prepared;
  const kubeconfig = plane.kubeconfig("agent");
  return { plane, writer, cluster, kubeconfig, otherKubeconfig: plane.kubeconfig("coredns") };
}

/** Runs `start`; where programs are missing, as described for `openOwnCluster`, the test is skipped. */
export async function orSkip<T>(t: TestContext, start: () => Promise<T>): Promise<T | undefined> {
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof AssetsUnavailable) || process.env["CI"] === "true") throw error;
    console.warn(`# NOT RUN: ${t.name}: ${error.message}`);
    t.skip(error.message);
    return undefined;
  }
}

/** The cluster of `$KUBECONFIG` where that is set (only namespaces made here are touched, and deleted again), else one of its own. */
export async function openAnyCluster(t: TestContext, size: ClusterSize): Promise<AnyCluster | undefined> {
  const kubeconfig = process.env["KUBECONFIG"] ?? "";
  if (kubeconfig === "") return openOwnCluster(t, size);
  const writer = await writerForKubeconfig(kubeconfig);
  let cluster: Cluster | undefined;
  t.after(async () => {
    for (const namespace of cluster?.namespaces ?? []) await writer.delete(namespaceObject(namespace));
    writer.close();
  });
  cluster = await writeCluster(writer, size);
  return { writer, cluster, kubeconfig, otherKubeconfig: kubeconfig };
}

/** An agent in step with the cluster, and a client for it; both end with the test. */
export async function startAgent(
  t: TestContext,
  options: AgentOptions,
): Promise<{ readonly agent: AgentProcess; readonly probe: DnsProbe }> {
  const agent = await AgentProcess.create(options);
  t.after(() => agent.close());
  agent.spawn();
  await agent.waitLive();
  const probe = await DnsProbe.open(agent.port);
  t.after(() => probe.close());
  return { agent, probe };
}

/** One line that tools can collect from a run. */
export function printFigure(name: string, value: number, unit: string): void {
  console.log(`# figure: ${name} = ${value.toFixed(1)} ${unit}`);
}
