import assert from "node:assert/strict";
import { test } from "node:test";
import { NAMESPACE, openHelm, PRESETS } from "../chart/helm.ts";
import { openKubectl, type Kubectl } from "../chart/kubectl.ts";
import { workloads, type Workload } from "../chart/workloads.ts";
import { orSkip } from "../e2e/cluster-under-test.ts";
import { ControlPlane } from "../support/control-plane.ts";

const ENFORCE = "pod-security.kubernetes.io/enforce";
/** What the Pod Security of the namespace has to be, as the README of the chart says. */
const POD_SECURITY: Readonly<Record<string, "privileged" | "restricted">> = {
  service: "restricted",
};
/** Namespaces that presets name besides the release's. */
const OTHER_NAMESPACES = ["dns-system", "monitoring"];
/** Of operators that this API server does not have: their schemas are not here to be checked against. */
const FOREIGN_GROUPS = new Set(["monitoring.coreos.com", "autoscaling.k8s.io", "kyverno.io"]);

test("presets, on a real API server", async (t) => {
  const helm = await openHelm(t);
  const plane = await orSkip(t, () => ControlPlane.start());
  if (helm === undefined || plane === undefined) return;
  t.after(() => plane.close());
  const kubectl = await openKubectl(t, plane.kubeconfig("admin"));
  if (kubectl === undefined) return;
  for (const name of [NAMESPACE, ...OTHER_NAMESPACES]) await kubectl.createNamespace(name);

  for (const preset of PRESETS) {
    const objects = await helm.render({ preset });
    const level = POD_SECURITY[preset] ?? "privileged";
    await setPodSecurity(kubectl, level);
    // Pods are refused without theirs.
    for (const account of objects.filter(({ kind }) => kind === "ServiceAccount"))
      await kubectl.apply(account);

    await t.test(`${preset}: the API server takes every object`, async () => {
      const ours = objects
        .filter(({ apiVersion }) => !FOREIGN_GROUPS.has(apiVersion.split("/")[0]))
        .filter(({ kind }) => kind !== "ServiceAccount");
      assert.equal((await kubectl.dryRunAll(ours)).length, ours.length);
    });

    await t.test(`${preset}: its pods may run where Pod Security is ${level}`, async () => {
      const pods = workloads(objects).map(podOf);
      assert.equal((await kubectl.dryRunAll(pods)).length, pods.length);
    });
  }

  await t.test("agents on the host network are refused where Pod Security is baseline", async () => {
    await setPodSecurity(kubectl, "baseline");
    const [agent] = workloads(await helm.render());
    await assert.rejects(kubectl.dryRun(podOf(agent)), /violates PodSecurity "baseline[^]*hostNetwork/);
  });
});

async function setPodSecurity(kubectl: Kubectl, level: string): Promise<void> {
  for (const namespace of [NAMESPACE, ...OTHER_NAMESPACES])
    await kubectl.run(["label", "--overwrite", "namespace", namespace, `${ENFORCE}=${level}`]);
}

/** What the workload's controller would send: Pod Security only warns of workloads, and refuses pods. */
function podOf({ namespace, name, podLabels, pod }: Workload): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace, name, labels: podLabels },
    spec: { restartPolicy: "Always", ...pod },
  };
}
