import assert from "node:assert/strict";
import { test } from "node:test";
import { openHelm, type Helm } from "../chart/helm.ts";
import { openKubectl, type Kubectl } from "../chart/kubectl.ts";
import { orSkip } from "../e2e/cluster-under-test.ts";
import { waitUntil } from "../support/control-plane-process.ts";
import { ControlPlane } from "../support/control-plane.ts";
import {
  AGENT,
  CLUSTER_DNS,
  EXCLUDED,
  INJECTION_CASES,
  LABELLED,
  UNLABELLED,
  type InjectionCase,
  type PodDns,
} from "./injection-cases.ts";

const POLICY = "templates/injection/mutating-admission-policy.yaml";
/** A wrong expression is an error then, and not a pod that is left as it is. */
const STRICT = 'injection.failurePolicy="Fail"';
const ROLES = {
  fallback: [STRICT],
  primary: [STRICT, 'role="primary"', `clusterDNS.address="${CLUSTER_DNS}"`],
} as const;
const LABEL = { "holdfast/inject": "enabled" };

interface Pod {
  readonly spec: PodDns;
}

test("the MutatingAdmissionPolicy of the chart, on a real API server", async (t) => {
  const helm = await openHelm(t);
  const plane = await orSkip(t, () => ControlPlane.start());
  if (helm === undefined || plane === undefined) return;
  t.after(() => plane.close());
  const kubectl = await openKubectl(t, plane.kubeconfig("admin"));
  if (kubectl === undefined) return;
  for (const namespace of [LABELLED, ...EXCLUDED]) await kubectl.createNamespace(namespace, LABEL);
  await kubectl.createNamespace(UNLABELLED);

  for (const role of ["fallback", "primary"] as const) {
    await kubectl.apply(await helm.template({ templates: [POLICY], set: ROLES[role] }));
    await waitUntilActive(kubectl, role);
    for (const row of INJECTION_CASES) {
      await t.test(`${role}: ${row.name}`, async () => {
        const { dnsPolicy, dnsConfig } = (await kubectl.dryRun<Pod>(podOf(row))).spec;
        assert.deepEqual({ dnsPolicy, dnsConfig }, expected(row, role));
      });
    }
  }

  await t.test("a pod that was injected is not injected again", async () => {
    const [row] = INJECTION_CASES;
    const once = await kubectl.dryRun<Pod>(podOf(row));
    const twice = await kubectl.dryRun<Pod>(podOf({ ...row, spec: once.spec as InjectionCase["spec"] }));
    assert.deepEqual(twice.spec.dnsConfig, once.spec.dnsConfig);
  });

  await t.test("by default a pod is created whatever becomes of the policy", async () => {
    assert.equal(
      await helm.template({ templates: [POLICY] }),
      (await strictTemplate(helm)).replace("failurePolicy: Fail", "failurePolicy: Ignore"),
    );
  });
});

async function strictTemplate(helm: Helm): Promise<string> {
  return await helm.template({ templates: [POLICY], set: [STRICT] });
}

/** The API server takes seconds to act on a new policy. */
async function waitUntilActive(kubectl: Kubectl, role: keyof typeof ROLES): Promise<void> {
  const [row] = INJECTION_CASES;
  const wanted = JSON.stringify(expected(row, role).dnsConfig?.nameservers);
  const isActive = async (): Promise<true | undefined> => {
    const { dnsConfig } = (await kubectl.dryRun<Pod>(podOf(row))).spec;
    return JSON.stringify(dnsConfig?.nameservers) === wanted ? true : undefined;
  };
  await waitUntil(`the policy for ${role} adds ${AGENT}`, isActive, {
    timeoutMs: 60_000,
    intervalMs: 500,
  });
}

/** As the ReplicaSet controller sends it: without what the API server fills in. */
function podOf({ namespace = LABELLED, labels = {}, spec }: InjectionCase): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace, generateName: "web-", labels: { app: "web", ...labels } },
    spec: { containers: [{ name: "web", image: "web" }], ...spec },
  };
}

function expected(row: InjectionCase, role: keyof typeof ROLES): PodDns {
  const { dnsPolicy = "ClusterFirst", dnsConfig } = row.spec;
  return row[role] ?? { dnsPolicy, dnsConfig };
}
