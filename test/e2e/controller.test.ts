import assert from "node:assert/strict";
import { test } from "node:test";
import { namespaceObject, plainService, type ServiceObject } from "../support/api-writer-cluster.ts";
import { ApiWriter, type KubernetesObject } from "../support/api-writer.ts";
import { waitUntil } from "../support/control-plane-process.ts";
import { ControlPlane } from "../support/control-plane.ts";
import type { DnsProbe } from "../support/dns-probe.ts";
import { orSkip, startAgent } from "./cluster-under-test.ts";
import { comparableAnswers } from "./expected-answers.ts";

const NAMESPACE = "holdfast-test-pods";
const NODE = "node-0";
const POD_ADDRESS = "10.200.1.7";
const NAME = `members.${NAMESPACE}.svc.cluster.local`;

/** The other tests write EndpointSlices themselves; here they come from Kubernetes' own controller, with the labels that it sets. */
test("slices of the real EndpointSlice controller are found through the headless label", async (t) => {
  const plane = await orSkip(t, () => ControlPlane.start({ withControllerManager: true }));
  if (plane === undefined) return;
  t.after(() => plane.close());
  const writer = new ApiWriter(plane.access());
  t.after(() => writer.close());
  const { probe } = await startAgent(t, { kubeconfig: plane.kubeconfig("agent") });

  await writer.create(namespaceObject(NAMESPACE));
  await waitForDefaultServiceAccount(plane);
  await writer.create(selectingService("members", { clusterIP: "None" }));
  await writer.create(selectingService("front", {}));
  // The controller leaves out pods on nodes that it does not know.
  await writer.create({ kind: "Node", apiVersion: "v1", metadata: { name: NODE } });
  const pod = await writer.create(memberPod());
  await writer.patchStatus(pod, podStatus(true));

  await untilAnswers(probe, NAME, [`${NAME} A ${POD_ADDRESS}`]);
  await untilAnswers(probe, `member-0.${NAME}`, [`member-0.${NAME} A ${POD_ADDRESS}`]);

  await writer.patchStatus(pod, podStatus(false));
  await untilAnswers(probe, NAME, []);
  assert.equal((await probe.query(NAME, "A")).rcode, "NXDOMAIN", "a headless Service with nobody ready");

  const requests = (await plane.auditedRequests()).filter(({ user }) => user === "agent");
  const unselected = requests.filter(({ resource, uri }) => {
    return resource === "endpointslices" && !uri.includes("labelSelector=");
  });
  assert.deepEqual(unselected, [], "slices of ClusterIP Services are not asked for");
});

function selectingService(name: string, spec: Partial<ServiceObject["spec"]>): ServiceObject {
  const service = plainService(NAMESPACE, name);
  return {
    ...service,
    spec: { ...service.spec, ...spec, selector: { app: "members" } } as ServiceObject["spec"],
  };
}

function memberPod(): KubernetesObject {
  return {
    kind: "Pod",
    apiVersion: "v1",
    metadata: { namespace: NAMESPACE, name: "member-0", labels: { app: "members" } },
    spec: {
      nodeName: NODE,
      hostname: "member-0",
      subdomain: "members",
      automountServiceAccountToken: false,
      containers: [{ name: "main", image: "none" }],
    },
  };
}

/** What a kubelet reports: no kubelet runs here. */
function podStatus(isReady: boolean): object {
  const conditions = [{ type: "Ready", status: isReady ? "True" : "False" }];
  return { phase: "Running", podIP: POD_ADDRESS, podIPs: [{ ip: POD_ADDRESS }], conditions };
}

/** Pods are refused in a namespace until the controller manager has made it. */
async function waitForDefaultServiceAccount(plane: ControlPlane): Promise<void> {
  const path = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/default`;
  const probe = async () => ((await plane.get(path)).status === 200 ? true : undefined);
  await waitUntil("default ServiceAccount", probe, { timeoutMs: 30_000 });
}

async function untilAnswers(probe: DnsProbe, qname: string, answers: readonly string[]): Promise<void> {
  const isAnswered = async () => {
    const got = comparableAnswers(await probe.query(qname, "A"));
    return got.join() === answers.join() ? true : undefined;
  };
  await waitUntil(`${qname} answered with [${answers.join(", ")}]`, isAnswered, { timeoutMs: 30_000 });
}
