import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { openKubectl, type Kubectl } from "../chart/kubectl.ts";
import { orSkip } from "../e2e/cluster-under-test.ts";
import { ControlPlane } from "../support/control-plane.ts";
import { runToSuccess } from "../support/node/run-command.ts";

/** What `inject` and `render` write, before a real API server with strict validation. */

const ROOT = join(import.meta.dirname, "../..");
const NAMESPACE = "shop";
const PRIMARY = ["--role=primary", "--cluster-dns=10.96.0.10"];
const MODES: Readonly<Record<string, readonly string[]>> = {
  fallback: [],
  "both families": ["--address=169.254.53.53", "--address=fd00:53::53"],
  primary: PRIMARY,
  sidecar: ["--mode=sidecar", "--cluster-dns=10.96.0.10"],
};

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ${NAMESPACE}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      dnsConfig: {searches: [svc.cluster.local, example.org], options: [{name: use-vc}]}
      containers: [{name: web, image: web}]
`;

const RESTRICTED = "restricted";
const RESTRICTED_POD = `apiVersion: v1
kind: Pod
metadata: {name: web, namespace: ${RESTRICTED}}
spec:
  securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: web
      image: web
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
`;

interface Deployment {
  readonly spec: { readonly template: { readonly metadata: object; readonly spec: object } };
}

async function holdfast(args: readonly string[], stdin = ""): Promise<string> {
  return await runToSuccess(process.execPath, [join(ROOT, "bin/holdfast.cjs"), ...args], { stdin });
}

async function templateOf(kubectl: Kubectl): Promise<Deployment["spec"]["template"]> {
  const text = await kubectl.run(["get", "deployment", "web", `--namespace=${NAMESPACE}`, "--output=json"]);
  return (JSON.parse(text) as Deployment).spec.template;
}

async function openCluster(t: TestContext): Promise<Kubectl | undefined> {
  const plane = await orSkip(t, () => ControlPlane.start());
  if (plane === undefined) return undefined;
  t.after(() => plane.close());
  const kubectl = await openKubectl(t, plane.kubeconfig("admin"));
  for (const namespace of [NAMESPACE, "kube-system"]) await kubectl?.createNamespace(namespace);
  return kubectl;
}

suite("manifests before a real API server", () => {
  test("what inject and render write is valid, and inject is undone", async (t) => {
    const kubectl = await openCluster(t);
    if (kubectl === undefined) return;

    await t.test("render static-pod", async () => {
      await kubectl.dryRun(parse(await holdfast(["render", "static-pod"])) as object);
    });

    for (const file of ["pod-fallback", "pod-primary", "network-policy", "sidecar-rights"]) {
      await t.test(`examples/injection/${file}.yaml`, async () => {
        const text = await readFile(join(ROOT, `examples/injection/${file}.yaml`), "utf8");
        await kubectl.dryRunAll(parseAllDocuments(text).map((document) => document.toJS() as object));
      });
    }

    await t.test("a pod with a sidecar where the Pod Security Standard restricted is enforced", async () => {
      await kubectl.createNamespace(RESTRICTED, { "pod-security.kubernetes.io/enforce": "restricted" });
      const injected = await holdfast(["inject", ...MODES["sidecar"]], RESTRICTED_POD);
      await kubectl.dryRun(parse(injected) as object);
    });

    for (const [mode, args] of Object.entries(MODES)) {
      await t.test(`kubectl get | holdfast inject | kubectl apply, and back: ${mode}`, async () => {
        const get = ["get", "deployment", "web", `--namespace=${NAMESPACE}`, "--output=yaml"];
        await kubectl.run(["apply", "--filename=-"], DEPLOYMENT);
        const before = await templateOf(kubectl);
        await kubectl.run(
          ["apply", "--filename=-"],
          await holdfast(["inject", "-", ...args], await kubectl.run(get)),
        );
        assert.notDeepEqual(await templateOf(kubectl), before);
        await kubectl.run(
          ["apply", "--filename=-"],
          await holdfast(["uninject", "-"], await kubectl.run(get)),
        );
        assert.deepEqual(await templateOf(kubectl), before);
      });
    }
  });
});
