import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import packageJson from "../../package.json" with { type: "json" };
import { buildImage } from "../../scripts/build-image.ts";
import { waitUntil } from "../support/control-plane-process.ts";
import { BUSYBOX_IMAGE } from "../support/node/base-images.ts";
import type { ClusterNode, ClusterNodeOptions } from "../support/node/cluster-node.ts";
import type { Cluster } from "../support/node/cluster.ts";
import type { CommandResult } from "../support/node/run-command.ts";
import type { ContainerName } from "../support/node/node-containers.ts";

export const CHART = fileURLToPath(new URL("../../charts/holdfast", import.meta.url));
export const RELEASE = "holdfast";
export const NAMESPACE = "holdfast";
/** Where pods get the agent. */
export const OPTED_IN = "demo";
/** What the chart asks for by default: the node has it under this name, since it can pull nothing. */
export const AGENT_IMAGE = `ghcr.io/holdfast-dns/holdfast:${packageJson.version}`;
/** The same image under another tag: for an upgrade. */
export const NEXT_TAG = "next";

const HELM_TIMEOUT_MS = 180_000;

/** A node that has the image of this checkout. */
export async function nodeWithImage(): Promise<ClusterNodeOptions> {
  return { images: [await buildImage({ tag: AGENT_IMAGE, report: (line) => console.log(`# ${line}`) })] };
}

/** @param values  As `--set-json` takes them. Returns when the agents are ready. */
export async function install(cluster: Cluster, ...values: string[]): Promise<void> {
  const place = [`--namespace=${NAMESPACE}`, "--create-namespace"];
  await succeed(cluster, ["install", RELEASE, CHART, ...place, ...flags(values), "--wait", "--timeout=120s"]);
}

/** Returns when every node has the new agent alone. */
export async function upgrade(cluster: Cluster, ...values: string[]): Promise<void> {
  const place = `--namespace=${NAMESPACE}`;
  await succeed(cluster, ["upgrade", RELEASE, CHART, place, ...flags(values), "--wait", "--timeout=120s"]);
  await untilRolledOut(cluster);
}

export async function rollback(cluster: Cluster): Promise<void> {
  await succeed(cluster, ["rollback", RELEASE, `--namespace=${NAMESPACE}`, "--wait", "--timeout=120s"]);
  await untilRolledOut(cluster);
}

/** A new pod in place of the agent's. */
export async function replaceAgent(cluster: Cluster): Promise<void> {
  const target = [`daemonset/${RELEASE}`, `--namespace=${NAMESPACE}`];
  for (const args of [
    ["rollout", "restart"],
    ["rollout", "status"],
  ]) {
    const { stderr, exitCode } = await cluster.kubectl([...args, ...target]);
    assert.equal(exitCode, 0, stderr);
  }
  await untilRolledOut(cluster);
}

/** Where the release is installed; otherwise nothing happens. */
export async function uninstall(cluster: Cluster): Promise<void> {
  const place = `--namespace=${NAMESPACE}`;
  await succeed(cluster, ["uninstall", RELEASE, place, "--ignore-not-found", "--wait", "--timeout=150s"]);
}

/** `helm test` with the log of its pods. */
export async function runHelmTest(cluster: Cluster): Promise<CommandResult> {
  const args = ["test", RELEASE, `--namespace=${NAMESPACE}`, "--logs", "--timeout=60s"];
  return cluster.helm(args, { timeoutMs: HELM_TIMEOUT_MS });
}

/** The agent's container on the only node. */
export async function agentContainer(cluster: Cluster): Promise<ContainerName> {
  return { namespace: NAMESPACE, pod: await agentPod(cluster), container: "agent" };
}

async function agentPod(cluster: Cluster): Promise<string> {
  const pods = await agentPods(cluster);
  assert.equal(pods.length, 1, `one agent: ${pods.join(" ")}`);
  return pods[0];
}

async function agentPods(cluster: Cluster): Promise<string[]> {
  const selector = "--selector=app.kubernetes.io/name=holdfast,app.kubernetes.io/component=agent";
  const args = ["get", "pods", `--namespace=${NAMESPACE}`, selector, "--output=name"];
  const { stdout } = await cluster.kubectl(args);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replace("pod/", ""));
}

async function untilRolledOut(cluster: Cluster): Promise<void> {
  const isAlone = async () => ((await agentPods(cluster)).length === 1 ? true : undefined);
  await waitUntil("the old agent gone", isAlone, { timeoutMs: HELM_TIMEOUT_MS, intervalMs: 200 });
}

export interface InjectedDns {
  readonly dnsPolicy: string;
  readonly dnsConfig?: { readonly nameservers: readonly string[] };
}

/**
 * Makes the namespace, and returns when pods that are created in it are injected as they should be: a new policy, or a changed one, takes
 * seconds to act.
 */
export async function optIn(
  cluster: Cluster,
  isAsWanted: (dns: InjectedDns) => boolean = (dns) => dns.dnsConfig !== undefined,
): Promise<void> {
  await cluster.apply(`apiVersion: v1
kind: Namespace
metadata: { name: ${OPTED_IN}, labels: { holdfast/inject: enabled } }
`);
  const isInjected = async () => {
    const args = ["run", "probe", `--namespace=${OPTED_IN}`, `--image=${BUSYBOX_IMAGE}`, "--output=json"];
    const { stdout } = await cluster.kubectl([...args, "--dry-run=server"]);
    const { spec } = JSON.parse(stdout) as { spec: InjectedDns };
    return isAsWanted(spec) ? true : undefined;
  };
  await waitUntil("the policy acts", isInjected, { timeoutMs: 60_000, intervalMs: 250 });
}

/** The next image is there, for `upgrade`. */
export async function provideNextImage(node: ClusterNode): Promise<void> {
  await node.tagImage(AGENT_IMAGE, `ghcr.io/holdfast-dns/holdfast:${NEXT_TAG}`);
}

function flags(values: readonly string[]): string[] {
  return values.map((value) => `--set-json=${value}`);
}

async function succeed(cluster: Cluster, args: readonly string[]): Promise<void> {
  const { stdout, stderr, exitCode } = await cluster.helm(args, { timeoutMs: HELM_TIMEOUT_MS });
  if (exitCode === 0) return;
  const place = `--namespace=${NAMESPACE}`;
  const pods = await cluster.kubectl(["describe", "pods", place]);
  const logs = await cluster.kubectl(["logs", `daemonset/${RELEASE}`, "--all-containers", place]);
  const state = `${pods.stdout.slice(-2000)}\n${logs.stdout.slice(-6000)}`;
  throw new Error(`helm ${args[0]} failed with ${exitCode}: ${stderr}${stdout}\n${state}`);
}
