import assert from "node:assert/strict";
import { BUSYBOX_IMAGE } from "../support/node/base-images.ts";
import type { ClusterNode } from "../support/node/cluster-node.ts";
import { printFigure } from "../e2e/cluster-under-test.ts";
import { nodeTest, sharedCluster } from "./cluster-under-test.ts";
import {
  install,
  NAMESPACE,
  nodeWithImage,
  OPTED_IN,
  optIn,
  RELEASE,
  runHelmTest,
  uninstall,
  upgrade,
} from "./installed-chart.ts";

/** The life of a release, from `helm install` with defaults to `helm uninstall`; each test goes on where the one before ended. */

const MAX_INSTALL_MS = 60_000;
const DATA_DIRECTORY = "/var/lib/holdfast";

const shared = sharedCluster(() => nodeWithImage());
let stateBefore: NodeState | undefined;

nodeTest("helm install with defaults: ready within a minute", shared, async (node) => {
  stateBefore = await nodeState(node);
  const startedMs = performance.now();
  await install(node);
  const tookMs = performance.now() - startedMs;
  printFigure("helm install to ready, with defaults", tookMs / 1000, "s");
  assert.ok(tookMs < MAX_INSTALL_MS, `${tookMs} ms`);
});

nodeTest("a pod of an opted-in namespace has the agent after the cluster's DNS", shared, async (node) => {
  await optIn(node);
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { namespace: OPTED_IN, name: "client" }, spec };
  await node.apply(JSON.stringify(pod));
  await node.waitForPod(OPTED_IN, "client");
  const client = { namespace: OPTED_IN, pod: "client", container: "main" };
  const { stdout } = await node.exec(client, ["cat", "/etc/resolv.conf"]);
  assert.deepEqual(stdout.trim().split("\n"), [
    `search ${OPTED_IN}.svc.cluster.local svc.cluster.local cluster.local`,
    "nameserver 10.96.0.10",
    "nameserver 169.254.53.53",
    "options ndots:5 timeout:1 attempts:2",
  ]);
  for (const address of ["169.254.53.53", "fd00:53::53"]) {
    const lookup = ["nslookup", "-type=A", "kubernetes.default.svc.cluster.local", address];
    const answer = await node.exec(client, lookup);
    assert.match(answer.stdout, /Address: 10\.96\.0\.1\n/, `${address}: ${answer.stdout}${answer.stderr}`);
  }
});
const spec = {
  terminationGracePeriodSeconds: 0,
  containers: [{ name: "main", image: BUSYBOX_IMAGE, command: ["sleep", "1000000"] }],
};

nodeTest("the agent may list and watch three kinds, and nothing else", shared, async (node) => {
  const account = `--as=system:serviceaccount:${NAMESPACE}:${RELEASE}`;
  const ours = await permissions(node, account);
  const anybodys = await permissions(node, `--as=system:serviceaccount:${NAMESPACE}:default`);
  assert.deepEqual(
    ours.filter((line) => !anybodys.includes(line)),
    ["endpointslices.discovery.k8s.io [list watch]", "namespaces [list watch]", "services [list watch]"],
  );
});

nodeTest("no webhook comes with it, and a failing policy lets pods in", shared, async (node) => {
  const kinds = "validatingwebhookconfigurations,mutatingwebhookconfigurations";
  const { stdout } = await node.kubectl(["get", kinds, "--output=name"]);
  assert.equal(stdout, "");
  const policy = await node.get<{ spec: { failurePolicy: string } }>(
    "mutatingadmissionpolicies",
    `${RELEASE}-inject`,
  );
  assert.equal(policy.spec.failurePolicy, "Ignore");
});

nodeTest("helm test passes on a healthy cluster", shared, async (node) => {
  const { exitCode, stdout, stderr } = await runHelmTest(node);
  assert.equal(exitCode, 0, stdout + stderr);
  for (const type of ["A", "AAAA", "SRV", "PTR"]) assert.match(stdout, new RegExp(`^same .* ${type} `, "m"));
  assert.match(stdout, /^same .* NXDOMAIN$/m);
});

nodeTest("helm test fails when the agent answers something else than the cluster", shared, async (node) => {
  await node.apply(WRONG_FACTS);
  await upgrade(
    node,
    'extraArgs=["--source=manifests","--manifests=/wrong"]',
    'extraVolumes=[{"name":"wrong","configMap":{"name":"wrong"}}]',
    'extraVolumeMounts=[{"name":"wrong","mountPath":"/wrong"}]',
  );
  const { exitCode, stdout } = await runHelmTest(node);
  assert.notEqual(exitCode, 0, stdout);
  assert.match(stdout, /^differs +kubernetes\.default\.svc\.cluster\.local\. A/m);
  await node.kubectl(["delete", "configmap", "wrong", `--namespace=${NAMESPACE}`]);
});

nodeTest("helm uninstall leaves the data directory and nothing else", shared, async (node) => {
  await uninstall(node);
  assert.deepEqual(await nodeState(node), stateBefore);
  const { stdout } = await node.runOnNode("ls", [DATA_DIRECTORY]);
  assert.match(stdout, /^snapshot\.current$/m);
});

interface NodeState {
  readonly addresses: readonly string[];
  readonly links: readonly string[];
  readonly ruleset: string;
  readonly icmpRateMask: string;
  readonly objects: readonly string[];
}

/** What an installation could leave behind. Without pods' interfaces: the pod of CoreDNS has one, the client's comes and goes. */
async function nodeState(node: ClusterNode): Promise<NodeState> {
  const run = async (file: string, ...args: string[]) => (await node.runOnNode(file, args)).stdout;
  return {
    addresses: withoutPods(await run("ip", "-oneline", "address")),
    links: withoutPods(await run("ip", "-oneline", "link")),
    ruleset: await run("nft", "list", "tables"),
    icmpRateMask: await run("cat", "/proc/sys/net/ipv4/icmp_ratemask"),
    objects: await objects(node),
  };
}

function withoutPods(text: string): string[] {
  return text.split("\n").filter((line) => !line.includes("veth"));
}

const KINDS = [
  "clusterroles,clusterrolebindings,mutatingadmissionpolicies,mutatingadmissionpolicybindings",
  "flowschemas,prioritylevelconfigurations,daemonsets,jobs,services,configmaps,serviceaccounts,roles,rolebindings,secrets",
].join(",");

async function objects(node: ClusterNode): Promise<string[]> {
  const { stdout } = await node.kubectl(["get", KINDS, "--all-namespaces", "--output=name"]);
  return stdout.split("\n").filter((line) => line.includes("holdfast"));
}

/** Resources with their verbs, one line each. */
async function permissions(node: ClusterNode, account: string): Promise<string[]> {
  const { stdout } = await node.kubectl(["auth", "can-i", "--list", account]);
  return stdout
    .split("\n")
    .slice(1)
    .filter((line) => /^\w/.test(line))
    .map((line) => line.replace(/\s+\[\]\s+\[\]\s+/, " ").trim())
    .sort();
}

/** The address of the API server's Service is another than in the cluster. */
const WRONG_FACTS = `apiVersion: v1
kind: ConfigMap
metadata: { name: wrong, namespace: ${NAMESPACE} }
data:
  wrong.yaml: |
    apiVersion: v1
    kind: Service
    metadata: { name: kubernetes, namespace: default }
    spec: { type: ClusterIP, clusterIP: 10.96.0.99, clusterIPs: [10.96.0.99], ports: [{ name: https, port: 443 }] }
`;
