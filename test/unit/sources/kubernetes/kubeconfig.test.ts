import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { ResolvedCredentials } from "../../../../src/sources/kubernetes/credentials.ts";
import { loadKubeconfig } from "../../../../src/sources/kubernetes/kubeconfig-file.ts";
import { resolveContext } from "../../../../src/sources/kubernetes/kubeconfig-user.ts";
import { certificatePem, keyPem } from "../../../support/pki.ts";

// What the credentials process does, without the process: see credentials-loader.test.ts for that.

const directory = mkdtempSync(join(tmpdir(), "holdfast-kubeconfig-"));
after(() => rmSync(directory, { recursive: true }));
const kubeconfigPath = join(directory, "kubeconfig");

const SECRET = "s3cr3t-t0ken";

interface LoadOptions {
  readonly context?: string | undefined;
  /** Further files behind the first. */
  readonly more?: readonly string[];
}

async function load(
  kubeconfig: unknown,
  { context, more = [] }: LoadOptions = {},
): Promise<ResolvedCredentials> {
  const text = typeof kubeconfig === "string" ? kubeconfig : JSON.stringify(kubeconfig);
  writeFileSync(kubeconfigPath, text);
  return resolveContext(loadKubeconfig([kubeconfigPath, ...more], context));
}

/** A kubeconfig with one context. */
function kubeconfigOf(user: object, cluster: object = {}): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "main",
    contexts: [{ name: "main", context: { cluster: "prod", user: "agent" } }],
    clusters: [{ name: "prod", cluster: { server: "https://10.0.0.1:6443", ...cluster } }],
    users: [{ name: "agent", user }],
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** A script that stands in for an exec plugin. */
function plugin(name: string, body: string): string {
  const path = join(directory, name);
  writeFileSync(path, `#!${process.execPath}\n${body}`);
  chmodSync(path, 0o755);
  return path;
}

function execUser(command: string, more: object = {}): object {
  return {
    exec: { apiVersion: "client.authentication.k8s.io/v1", command, interactiveMode: "Never", ...more },
  };
}

test("inline data: CA, client certificate and key come as text", async () => {
  const user = {
    "client-certificate-data": base64(certificatePem("client")),
    "client-key-data": base64(keyPem("client")),
  };
  const cluster = {
    "certificate-authority-data": base64(certificatePem("ca")),
    "tls-server-name": "kubernetes.test",
  };
  assert.deepEqual(await load(kubeconfigOf(user, cluster)), {
    server: "https://10.0.0.1:6443/",
    ca: { text: certificatePem("ca") },
    clientCertificate: { certificate: { text: certificatePem("client") }, key: { text: keyPem("client") } },
    tlsServerName: "kubernetes.test",
    skipTlsVerify: false,
    headers: {},
    needsRefresh: false,
    presents: `the client certificate of user "agent" in ${kubeconfigPath}`,
  });
});

test("files stay files, and relative paths start from the kubeconfig's directory", async () => {
  mkdirSync(join(directory, "pki"), { recursive: true });
  for (const name of ["ca.crt", "client.crt", "client.key", "token"])
    writeFileSync(join(directory, "pki", name), "x");
  const user = {
    "client-certificate": "pki/client.crt",
    "client-key": "pki/client.key",
    tokenFile: "pki/token",
  };
  const credentials = await load(kubeconfigOf(user, { "certificate-authority": "pki/ca.crt" }));
  assert.deepEqual(credentials.ca, { file: join(directory, "pki/ca.crt") });
  assert.deepEqual(credentials.token, { file: join(directory, "pki/token") });
  assert.deepEqual(credentials.clientCertificate, {
    certificate: { file: join(directory, "pki/client.crt") },
    key: { file: join(directory, "pki/client.key") },
  });
  assert.equal(credentials.presents, `the token in ${join(directory, "pki/token")}`);
});

test("a static token, as YAML, with the verification switched off and an impersonated user", async () => {
  const credentials = await load(`
current-context: main
contexts: [{name: main, context: {cluster: prod, user: agent}}]
clusters: [{name: prod, cluster: {server: "https://api.test/k8s/clusters/c-1", insecure-skip-tls-verify: true}}]
users:
- name: agent
  user: {token: ${SECRET}, as: somebody}
`);
  assert.deepEqual(credentials, {
    server: "https://api.test/k8s/clusters/c-1",
    token: { text: SECRET },
    skipTlsVerify: true,
    headers: { "Impersonate-User": "somebody" },
    needsRefresh: false,
    presents: `the token of user "agent" in ${kubeconfigPath}`,
  });
});

test("a user name and password become basic authentication", async () => {
  const credentials = await load(kubeconfigOf({ username: "u", password: "p" }));
  assert.deepEqual(credentials.headers, { Authorization: "Basic dTpw" });
});

test("over plain HTTP no credentials are resolved", async () => {
  const cluster = { server: "http://127.0.0.1:8080" };
  const credentials = await load(kubeconfigOf({ token: SECRET }, cluster));
  assert.deepEqual(credentials, {
    server: "http://127.0.0.1:8080/",
    skipTlsVerify: false,
    headers: {},
    needsRefresh: false,
    presents: "a request without credentials",
  });
});

test("--context chooses among several, and a broken entry beside it does no harm", async () => {
  const config = kubeconfigOf({ token: SECRET }) as Record<string, object[]>;
  config["clusters"].push(
    { name: "broken", cluster: {} },
    { name: "lab", cluster: { server: "https://lab:1" } },
  );
  config["contexts"].push({ name: "lab", context: { cluster: "lab", user: "agent" } });
  const credentials = await load(config, { context: "lab" });
  assert.equal(credentials.server, "https://lab:1/");
});

test("of two files the first one's entries and current-context win", async () => {
  const second = join(directory, "second");
  const config = kubeconfigOf({ token: "other" }, { server: "https://other:1" }) as Record<string, object[]>;
  config["clusters"].push({ name: "lab", cluster: { server: "https://lab:1" } });
  config["contexts"].push({ name: "lab", context: { cluster: "lab", user: "agent" } });
  writeFileSync(second, JSON.stringify({ ...config, "current-context": "lab" }));
  const main = await load(kubeconfigOf({ token: SECRET }), { more: [second] });
  assert.equal(main.server, "https://10.0.0.1:6443/");
  const lab = await load(kubeconfigOf({ token: SECRET }), { more: [second], context: "lab" });
  assert.deepEqual([lab.server, lab.token], ["https://lab:1/", { text: SECRET }]);
});

test("an exec plugin's token comes with its expiry; the plugin learns the protocol version and the cluster", async () => {
  const command = plugin(
    "plugin-token",
    `const info = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
     require("node:fs").writeFileSync(process.env.SEEN, JSON.stringify({ info, args: process.argv.slice(2) }));
     console.log(JSON.stringify({ kind: "ExecCredential", status: {
       token: "${SECRET}", expirationTimestamp: "2030-01-01T00:00:00Z" } }));`,
  );
  const seen = join(directory, "seen");
  const user = execUser(`./${command.slice(directory.length + 1)}`, {
    args: ["token"],
    env: [{ name: "SEEN", value: seen }],
    provideClusterInfo: true,
  });
  const credentials = await load(kubeconfigOf(user));
  assert.deepEqual(credentials.token, { text: SECRET });
  assert.equal(credentials.expiresAtWallMs, Date.UTC(2030, 0, 1));
  assert.equal(credentials.needsRefresh, true);
  assert.equal(credentials.presents, `the credential from exec plugin "${command}"`);
  assert.deepEqual(JSON.parse(readFileSync(seen, "utf8")), {
    args: ["token"],
    info: {
      apiVersion: "client.authentication.k8s.io/v1",
      kind: "ExecCredential",
      spec: { interactive: false, cluster: { server: "https://10.0.0.1:6443" } },
    },
  });
});

test("an exec plugin may give a client certificate; a JWT's own expiry counts where it names none", async () => {
  const pem = { certificate: certificatePem("client"), key: keyPem("client") };
  const jwt = `x.${Buffer.from('{"exp":1893456000}').toString("base64url")}.x`;
  const status = { clientCertificateData: pem.certificate, clientKeyData: pem.key, token: jwt };
  const command = plugin("plugin-cert", `console.log(${JSON.stringify(JSON.stringify({ status }))})`);
  const credentials = await load(kubeconfigOf(execUser(command)));
  assert.deepEqual(credentials.clientCertificate, {
    certificate: { text: pem.certificate },
    key: { text: pem.key },
  });
  assert.equal(credentials.expiresAtWallMs, 1_893_456_000_000);
});

const PROBLEMS: readonly { name: string; given: unknown; context?: string; want: string }[] = [
  {
    name: "invalid YAML, without the line that holds the token",
    given: `users:\n- name: a\n  user: {token: ${SECRET}\n  : ]\n`,
    want: "kubeconfig KUBECONFIG is not valid YAML (BAD_INDENT at line 4, column 3)",
  },
  {
    name: "something else in YAML",
    given: "kind: Pod\n",
    want: 'KUBECONFIG is not a kubeconfig: it has no "clusters"',
  },
  { name: "an empty file", given: "", want: 'KUBECONFIG is not a kubeconfig: it has no "clusters"' },
  {
    name: "no such context",
    given: kubeconfigOf({}),
    context: "staging",
    want: 'kubeconfig KUBECONFIG has no context "staging"; it has: main',
  },
  {
    name: "no current context",
    given: { ...kubeconfigOf({}), "current-context": "" },
    want: "kubeconfig KUBECONFIG has no current-context, and --context was not given; it has: main",
  },
  {
    name: "no contexts",
    given: { clusters: [] },
    context: "main",
    want: 'kubeconfig KUBECONFIG has no context "main"; it has no contexts',
  },
  {
    name: "a context without its cluster",
    given: { ...kubeconfigOf({}), clusters: [] },
    want: 'kubeconfig KUBECONFIG: context "main" names the cluster "prod", which is not there',
  },
  {
    name: "a context without its user",
    given: { ...kubeconfigOf({}), users: null },
    want: 'kubeconfig KUBECONFIG: context "main" names the user "agent", which is not there',
  },
  {
    name: "a server that is no URL",
    given: kubeconfigOf({}, { server: "10.0.0.1:6443" }),
    want: 'kubeconfig KUBECONFIG: cluster "prod" has a server that is not an https:// or http:// URL',
  },
  {
    name: "a proxy",
    given: kubeconfigOf({}, { "proxy-url": "http://proxy:3128" }),
    want: 'kubeconfig KUBECONFIG: cluster "prod" has a proxy-url, which is not supported',
  },
  {
    name: "a file that is named and missing",
    given: kubeconfigOf({}, { "certificate-authority": "none.crt" }),
    want: "kubeconfig KUBECONFIG: cannot read DIRECTORY/none.crt (ENOENT)",
  },
  {
    name: "an exec plugin that is not installed",
    given: kubeconfigOf(execUser("holdfast-no-such-plugin")),
    want: 'kubeconfig KUBECONFIG: exec plugin "holdfast-no-such-plugin" is not installed, or not in $PATH (ENOENT)',
  },
  {
    name: "an exec plugin that fails",
    given: kubeconfigOf(execUser("sh", { args: ["-c", "echo hint >&2; echo session expired >&2; exit 3"] })),
    want: 'kubeconfig KUBECONFIG: exec plugin "sh" failed: session expired',
  },
  {
    name: "an exec plugin that fails silently",
    given: kubeconfigOf(execUser("false")),
    want: 'kubeconfig KUBECONFIG: exec plugin "false" failed',
  },
  {
    name: "an exec plugin that prints a bare token, which the message does not repeat",
    given: kubeconfigOf(execUser("echo", { args: [SECRET] })),
    want: 'kubeconfig KUBECONFIG: exec plugin "echo" did not give an ExecCredential or token',
  },
  {
    name: "an exec plugin that prints no status",
    given: kubeconfigOf(execUser("echo", { args: ["{}"] })),
    want: 'kubeconfig KUBECONFIG: exec plugin "echo" did not give an ExecCredential or token',
  },
  {
    name: "an exec plugin that prints an empty status",
    given: kubeconfigOf(execUser("echo", { args: ['{"status":{}}'] })),
    want: 'kubeconfig KUBECONFIG: exec plugin "echo" gave no credentials',
  },
  {
    name: "an expired OIDC token that cannot be refreshed",
    given: kubeconfigOf({
      "auth-provider": {
        name: "oidc",
        config: { "id-token": `e30.${Buffer.from('{"exp":1}').toString("base64url")}.x` },
      },
    }),
    want: 'kubeconfig KUBECONFIG: auth-provider "oidc" gave no credentials',
  },
  {
    name: "a provider that nobody knows",
    given: kubeconfigOf({ "auth-provider": { name: "abacus" } }),
    want: 'kubeconfig KUBECONFIG: auth-provider "abacus" gave no credentials',
  },
];
for (const { name, given, context, want } of PROBLEMS) {
  test(`problem: ${name}`, async () => {
    const message = want.replace("KUBECONFIG", kubeconfigPath).replace("DIRECTORY", directory);
    await assert.rejects(load(given, { context }), { message });
  });
}

test("problem: a kubeconfig that is not there, and one that cannot be read", () => {
  assert.throws(() => loadKubeconfig(["/none/config"], undefined), {
    message: "cannot read kubeconfig /none/config (ENOENT)",
  });
  assert.throws(() => loadKubeconfig([directory], undefined), {
    message: `cannot read kubeconfig ${directory} (EISDIR)`,
  });
});
