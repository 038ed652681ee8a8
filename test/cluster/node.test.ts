import assert from "node:assert/strict";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProcess, waitUntil } from "../support/control-plane-process.ts";
import { BUSYBOX_IMAGE } from "../support/node/base-images.ts";
import { ClusterNode } from "../support/node/cluster-node.ts";
import type { ContainerName } from "../support/node/node-containers.ts";
import { removeLeftOvers } from "../support/node/left-overs.ts";
import { busyboxPath, requireNodeTools } from "../support/node/node-requirements.ts";
import { clusterTest, nodeTest, sharedCluster } from "./cluster-under-test.ts";
import { machineState, namespacesOf, NO_TRACES, tracesOf, type MachineState } from "./machine-state.ts";

/** The node that the other tests of this directory stand on. */

const CLIENT = { namespace: "default", pod: "client", container: "main" };
const KUBERNETES = "kubernetes.default.svc.cluster.local";
const RUN_NODE = fileURLToPath(new URL("../support/node/run-node.ts", import.meta.url));
const LIMIT_MS = 60_000;

let before: MachineState | undefined;
const shared = sharedCluster(async () => {
  await requireNodeTools();
  before = await machineState();
  return {};
});

/** Each test can be run alone. */
async function withClient(node: ClusterNode): Promise<void> {
  await node.apply(clientPod());
  await node.waitForPod(CLIENT.namespace, CLIENT.pod);
}

nodeTest("a pod finds kubernetes.default through CoreDNS, and nothing without it", shared, async (node) => {
  await withClient(node);
  const lookup = ["nslookup", "-type=A", KUBERNETES];
  const found = await node.exec(CLIENT, lookup);
  assert.equal(found.exitCode, 0, found.stdout + found.stderr);
  assert.match(found.stdout, /Server:\s+10\.96\.0\.10\n[^]*Address: 10\.96\.0\.1\n/);

  await node.scaleCoreDns(0);
  const isLost = async () => ((await node.exec(CLIENT, lookup)).exitCode === 0 ? undefined : true);
  await waitUntil("lookup without CoreDNS fails", isLost, { timeoutMs: LIMIT_MS });

  await node.scaleCoreDns(1);
  const isBack = async () => ((await node.exec(CLIENT, lookup)).exitCode === 0 ? true : undefined);
  await waitUntil("lookup with CoreDNS again", isBack, { timeoutMs: LIMIT_MS });
});

nodeTest("containers are reached while the API server is down, and it comes back", shared, async (node) => {
  await withClient(node);
  const ticking = await node.startDirect(CLIENT, ["sh", "-c", "while :; do echo tick; sleep 0.1; done"]);
  await node.kill("kube-apiserver");
  const { exitCode } = await node.kubectl(["get", "nodes", "--request-timeout=1s"]);
  assert.notEqual(exitCode, 0, "kubectl without an API server");
  const direct = await node.execDirect(CLIENT, ["hostname"]);
  assert.deepEqual([direct.stdout.trim(), direct.exitCode], [CLIENT.pod, 0], direct.stderr);
  const tickCount = () => ticking.output().split("tick").length;
  const ticksBefore = tickCount();
  const goesOn = async () => (tickCount() > ticksBefore ? true : undefined);
  await waitUntil("the client goes on", goesOn, { timeoutMs: LIMIT_MS, process: ticking });

  await node.startComponent("kube-apiserver");
  const isReached = async () => ((await node.exec(CLIENT, ["true"])).exitCode === 0 ? true : undefined);
  await waitUntil("exec through the API server", isReached, { timeoutMs: LIMIT_MS });
  await ticking.kill("SIGTERM");
});

nodeTest("a component that is stopped hangs, and goes on", shared, async (node) => {
  const readyz = ["get", "--raw=/readyz", "--request-timeout=1s"];
  node.signal("kube-apiserver", "SIGSTOP");
  const hanging = await node.kubectl(readyz);
  assert.notEqual(hanging.exitCode, 0, hanging.stdout);
  node.signal("kube-apiserver", "SIGCONT");
  const isBack = async () => ((await node.kubectl(readyz)).exitCode === 0 ? true : undefined);
  await waitUntil("API server goes on", isBack, { timeoutMs: LIMIT_MS });
});

nodeTest("the kubelet starts a killed container again, and the log has both", shared, async (node) => {
  await withClient(node);
  const killed = await node.containerId(CLIENT);
  await node.killContainer(CLIENT);
  const replacement = async () => {
    const id = await node.containerId(CLIENT);
    return id === killed ? undefined : id;
  };
  await waitUntil("another container", replacement, { timeoutMs: LIMIT_MS });
  const startsLogged = async () => {
    const lines = await node.containerLog(CLIENT);
    return lines.filter(({ text }) => text === "started").length >= 2 ? true : undefined;
  };
  await waitUntil("two starts in the log", startsLogged, { timeoutMs: LIMIT_MS });
});

nodeTest("every component can be killed and started, while pods go on", shared, async (node) => {
  await withClient(node);
  const id = await node.containerId(CLIENT);
  for (const component of ["kubelet", "containerd", "kube-proxy", "kube-scheduler", "etcd"] as const) {
    await node.kill(component);
    await node.startComponent(component);
  }
  await node.kill("kube-controller-manager");
  await node.startComponent("kube-controller-manager");
  assert.equal(await node.containerId(CLIENT), id);
});

nodeTest("pods have both families, and reach an address of the node's loopback", shared, async (node) => {
  await withClient(node);
  const addresses = await node.podIps(CLIENT.namespace, CLIENT.pod);
  assert.deepEqual(
    addresses.map((address) => address.replace(/[.:]\w+$/, "")),
    ["10.244.0", "fd00:10:244:"],
  );
  for (const address of ["169.254.53.53/32", "fd00:53::53/128"]) {
    const added = await node.runOnNode("ip", ["address", "replace", address, "dev", "lo"]);
    assert.equal(added.exitCode, 0, added.stderr);
    const reached = await node.execDirect(CLIENT, [
      "ping",
      "-c",
      "1",
      "-W",
      "2",
      address.replace(/\/\d+$/, ""),
    ]);
    assert.equal(reached.exitCode, 0, reached.stdout + reached.stderr);
  }
});

nodeTest("an image is built for the node, and has a second tag for upgrades", shared, async (node, t) => {
  const context = await mkdtemp(join(tmpdir(), "holdfast-test-"));
  t.after(() => rm(context, { recursive: true, force: true }));
  await copyFile(busyboxPath(), join(context, "busybox"));
  await writeFile(join(context, "Containerfile"), "FROM scratch\nCOPY busybox /busybox\n");
  const first = await node.importImage("upgraded", context);
  const second = first.replace(/:1$/, ":2");
  await node.tagImage(first, second);
  for (const [pod, image] of [
    ["first", first],
    ["second", second],
  ] as const) {
    await node.apply(sleepingPod({ ...CLIENT, pod }, image, ["/busybox", "sleep", "1000000"]));
    await node.waitForPod(CLIENT.namespace, pod);
  }
});

clusterTest("kubectl and helm reach the cluster", shared, async (cluster) => {
  const nodes = await cluster.kubectl(["get", "nodes", "--output=name"]);
  assert.match(nodes.stdout, /^node\//, nodes.stderr);
  const releases = await cluster.helm(["list", "--all-namespaces", "--output=json"]);
  assert.ok(Array.isArray(JSON.parse(releases.stdout)), releases.stderr);
});

nodeTest("close() leaves nothing on this machine", shared, async (node) => {
  const namespaces = await namespacesOf(node.directory);
  assert.notDeepEqual(await tracesOf(process.pid, namespaces), NO_TRACES, "traces are seen while it runs");
  await node.close();
  await node.close();
  assert.deepEqual(await tracesOf(process.pid, namespaces), NO_TRACES);
  assert.deepEqual(await machineState(), before);
});

nodeTest("a start that fails leaves nothing on this machine", shared, async () => {
  const options = { apiServerFlags: ["--no-such-flag"], report: () => undefined };
  await assert.rejects(ClusterNode.start(options), /unknown flag: --no-such-flag/);
  assert.deepEqual(await tracesOf(process.pid, []), NO_TRACES);
  assert.deepEqual(await machineState(), before);
});

nodeTest(
  "a node ends with its process, killed too, and its files go with the next start",
  shared,
  async (_, t) => {
    const directory = await mkdtemp(join(tmpdir(), "holdfast-test-"));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const logFile = join(directory, "run-node.log");
    const owner = startProcess(process.execPath, [RUN_NODE], { logFile, tiedByInput: true });
    t.after(() => owner.kill("SIGKILL"));
    const kubeconfig = async () => /^export KUBECONFIG=(.*)$/m.exec(owner.output())?.[1];
    const path = await waitUntil("a node of another process", kubeconfig, {
      timeoutMs: LIMIT_MS,
      process: owner,
    });
    const namespaces = await namespacesOf(dirname(dirname(path)));

    await owner.kill("SIGKILL");
    const hasEnded = async () => {
      const { processes } = await tracesOf(owner.pid, namespaces);
      return processes.length === 0 ? true : undefined;
    };
    await waitUntil("its processes ended", hasEnded, { timeoutMs: LIMIT_MS });
    await removeLeftOvers(() => undefined);
    assert.deepEqual(await tracesOf(owner.pid, namespaces), NO_TRACES);
    assert.deepEqual(await machineState(), before);
  },
);

function clientPod(): string {
  return sleepingPod(CLIENT, BUSYBOX_IMAGE, ["sh", "-c", "echo started; sleep 1000000"]);
}

function sleepingPod(name: ContainerName, image: string, command: readonly string[]): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace: name.namespace, name: name.pod },
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name: name.container, image, command }] },
  });
}
