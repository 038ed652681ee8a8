import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findCredentials } from "../../../../src/sources/kubernetes/credentials-place.ts";

const directory = mkdtempSync(join(tmpdir(), "holdfast-place-"));
after(() => rmSync(directory, { recursive: true }));
const serviceAccountDirectory = join(directory, "serviceaccount");
mkdirSync(serviceAccountDirectory);
writeFileSync(join(serviceAccountDirectory, "token"), "t");
const home = join(directory, "home");
mkdirSync(join(home, ".kube"), { recursive: true });
const standard = join(home, ".kube", "config");
writeFileSync(standard, "");
const other = join(directory, "other");
writeFileSync(other, "");

const POD = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" };
const FROM_POD = {
  type: "in-cluster",
  server: "https://10.96.0.1:443",
  caFile: join(serviceAccountDirectory, "ca.crt"),
  tokenFile: join(serviceAccountDirectory, "token"),
};

const CASES = [
  {
    name: "--kubeconfig wins over everything",
    given: { kubeconfig: other, environment: { ...POD, KUBECONFIG: standard, HOME: home } },
    want: { type: "kubeconfig", files: [other], context: undefined },
  },
  {
    name: "a pod's service account goes before $KUBECONFIG",
    given: { environment: { ...POD, KUBECONFIG: other, HOME: home } },
    want: FROM_POD,
  },
  {
    name: "an IPv6 service address gets its brackets",
    given: { environment: { ...POD, KUBERNETES_SERVICE_HOST: "fd00::1" } },
    want: { ...FROM_POD, server: "https://[fd00::1]:443" },
  },
  {
    name: "--context means a kubeconfig, in a pod too",
    given: { context: "staging", environment: { ...POD, HOME: home } },
    want: { type: "kubeconfig", files: [standard], context: "staging" },
  },
  {
    name: "a pod without a token uses $KUBECONFIG",
    given: { environment: { ...POD, KUBECONFIG: other }, serviceAccountDirectory: directory },
    want: { type: "kubeconfig", files: [other], context: undefined },
  },
  {
    name: "of the files in $KUBECONFIG those that exist",
    given: { environment: { KUBECONFIG: `${directory}/none:${other}::${standard}` } },
    want: { type: "kubeconfig", files: [other, standard], context: undefined },
  },
  {
    name: "$KUBECONFIG that leads nowhere is not passed over: its error will name it",
    given: { environment: { KUBECONFIG: `${directory}/none`, HOME: home } },
    want: { type: "kubeconfig", files: [`${directory}/none`], context: undefined },
  },
  {
    name: "~/.kube/config comes last",
    given: { environment: { HOME: home } },
    want: { type: "kubeconfig", files: [standard], context: undefined },
  },
  {
    name: "nothing anywhere names every place",
    given: { environment: { ...POD, HOME: directory }, serviceAccountDirectory: join(directory, "none") },
    want: {
      type: "nowhere",
      problem:
        `no Kubernetes credentials found: looked for a service account (${directory}/none/token does not exist), ` +
        `$KUBECONFIG (not set) and ${directory}/.kube/config (does not exist); give --kubeconfig FILE`,
    },
  },
  {
    name: "nothing in the environment at all",
    given: { environment: {} },
    want: {
      type: "nowhere",
      problem:
        "no Kubernetes credentials found: looked for a service account ($KUBERNETES_SERVICE_HOST and " +
        "$KUBERNETES_SERVICE_PORT are not set), $KUBECONFIG (not set) and ~/.kube/config ($HOME is not set); " +
        "give --kubeconfig FILE",
    },
  },
];
for (const { name, given, want } of CASES) {
  test(name, () => {
    const options = { kubeconfig: undefined, context: undefined, serviceAccountDirectory, ...given };
    assert.deepEqual(findCredentials(options), want);
  });
}
