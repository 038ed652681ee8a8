import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../../../src/base/clock.ts";
import type { Clock } from "../../../../src/base/clock.ts";
import { createCredentialsLoader } from "../../../../src/sources/kubernetes/credentials-loader.ts";
import type { CredentialsLoaderOptions } from "../../../../src/sources/kubernetes/credentials-loader.ts";
import type { CredentialsSource } from "../../../../src/sources/kubernetes/credentials.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

const workerFile = fileURLToPath(
  new URL("../../../../src/sources/kubernetes/credentials-worker.ts", import.meta.url),
);
const directory = mkdtempSync(join(tmpdir(), "holdfast-credentials-"));
after(() => rmSync(directory, { recursive: true }));
const kubeconfigPath = join(directory, "kubeconfig");

const environment = { PATH: process.env["PATH"], HOME: directory };

/** With one user, who has an exec plugin. */
function kubeconfigOf(exec: object): string {
  return JSON.stringify({
    "current-context": "main",
    contexts: [{ name: "main", context: { cluster: "prod", user: "agent" } }],
    clusters: [{ name: "prod", cluster: { server: "https://10.0.0.1:6443" } }],
    users: [{ name: "agent", user: { exec: { apiVersion: "client.authentication.k8s.io/v1", ...exec } } }],
  });
}

function loaderOf(
  changes: Partial<CredentialsLoaderOptions> = {},
  clock: Clock = systemClock,
): CredentialsSource {
  const options = { kubeconfig: kubeconfigPath, context: undefined, environment, workerFile, ...changes };
  return createCredentialsLoader(options, { clock });
}

test("the process resolves a kubeconfig with an exec plugin, and hands over plain data", async () => {
  const status = JSON.stringify({ status: { token: "t", expirationTimestamp: "2030-01-01T00:00:00Z" } });
  writeFileSync(kubeconfigPath, kubeconfigOf({ command: "echo", args: [status] }));
  assert.deepEqual(await loaderOf().load(), {
    server: "https://10.0.0.1:6443/",
    token: { text: "t" },
    skipTlsVerify: false,
    headers: {},
    needsRefresh: true,
    expiresAtWallMs: Date.UTC(2030, 0, 1),
    presents: 'the credential from exec plugin "echo"',
  });
});

test("a problem that the process finds is the error's one line", async () => {
  await assert.rejects(loaderOf({ kubeconfig: "/none/config" }).load(), {
    message: "cannot read kubeconfig /none/config (ENOENT)",
  });
});

test("problem: nothing is configured anywhere", async () => {
  await assert.rejects(
    loaderOf({ kubeconfig: undefined, environment: {} }).load(),
    /^Error: no Kubernetes credentials found: looked for/,
  );
});

test("problem: the worker file is not there", async () => {
  await assert.rejects(loaderOf({ workerFile: join(directory, "none.cjs") }).load(), {
    message: `kubeconfig ${kubeconfigPath}: the credentials process ended without a reply (exit code 1)`,
  });
});

test("a plugin that hangs is killed with the process after the time limit", async () => {
  const pidFile = join(directory, "pid");
  const args = ["-c", `echo $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; read forever; sleep 1000`];
  writeFileSync(kubeconfigPath, kubeconfigOf({ command: "sh", args }));
  const clock = new FakeClock();
  const directoryWatch = watch(directory);
  const loading = loaderOf({}, clock).load();
  loading.catch(() => {});
  while (!existsSync(pidFile)) await once(directoryWatch, "change");
  directoryWatch.close();
  clock.advance(60_000);
  await assert.rejects(loading, {
    message: `kubeconfig ${kubeconfigPath}: no credentials after 60 s; does its exec plugin wait for a login?`,
  });
  const pid = Number(readFileSync(pidFile, "utf8"));
  while (isRunning(pid)) await new Promise((resolve) => setImmediate(resolve));
});

/** A killed process whose parent is gone too may stay a zombie where nothing reaps it. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

test("in a pod two paths and an address are all it takes: no process", async () => {
  const serviceAccountDirectory = join(directory, "serviceaccount");
  mkdirSync(serviceAccountDirectory);
  writeFileSync(join(serviceAccountDirectory, "token"), "t");
  const loader = loaderOf({
    kubeconfig: undefined,
    environment: { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" },
    serviceAccountDirectory,
    workerFile: join(directory, "none.cjs"),
  });
  assert.deepEqual(await loader.load(), {
    server: "https://10.96.0.1:443",
    ca: { file: join(serviceAccountDirectory, "ca.crt") },
    token: { file: join(serviceAccountDirectory, "token") },
    skipTlsVerify: false,
    headers: {},
    needsRefresh: false,
    presents: `the token in ${join(serviceAccountDirectory, "token")}`,
  });
});
