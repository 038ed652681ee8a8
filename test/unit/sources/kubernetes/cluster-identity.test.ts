import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  caFingerprint,
  certificatesOfPem,
  compareIdentity,
  digestInputs,
} from "../../../../src/sources/kubernetes/cluster-identity.ts";
import { Credentials } from "../../../../src/sources/kubernetes/credentials.ts";
import type { ResolvedCredentials } from "../../../../src/sources/kubernetes/credentials.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { certificatePem } from "../../../support/pki.ts";
import { RecordingLog } from "../../../support/recording-log.ts";

const directory = mkdtempSync(join(tmpdir(), "holdfast-identity-"));
after(() => rmSync(directory, { recursive: true }));

const CREDENTIALS: ResolvedCredentials = {
  server: "https://10.0.0.1:6443/",
  skipTlsVerify: false,
  headers: {},
  needsRefresh: false,
  presents: "the token",
};

function der(pem: string): Uint8Array {
  return new X509Certificate(pem).raw;
}

test("the fingerprint is the SHA-256 over the DER of the CA bundle, whatever stands around the certificates", () => {
  const [first, second] = [certificatePem("ca"), certificatePem("other-ca")];
  const want = createHash("sha256").update(der(first)).update(der(second)).digest("hex");
  const bundle = `# first\n${first.replaceAll("\n", "\r\n")}\nsecond:\n${second}trailing`;
  assert.equal(caFingerprint(CREDENTIALS, bundle), want);
  assert.notEqual(caFingerprint(CREDENTIALS, second + first), want, "the order counts");
  assert.deepEqual(certificatesOfPem("no certificate"), []);
});

test("without a CA the server's URL identifies the cluster", () => {
  const here = caFingerprint(CREDENTIALS, undefined);
  assert.match(here, /^[0-9a-f]{64}$/);
  assert.notEqual(caFingerprint({ ...CREDENTIALS, server: "https://10.0.0.2:6443/" }, undefined), here);
  const withDefaultPort = caFingerprint({ ...CREDENTIALS, server: "https://api.test:443" }, undefined);
  assert.equal(caFingerprint({ ...CREDENTIALS, server: "https://API.test/" }, undefined), withDefaultPort);
});

function digestOf(kubeconfig: string, caFiles: Record<string, string> = {}, context?: string) {
  const file = join(directory, "kubeconfig");
  writeFileSync(file, kubeconfig);
  mkdirSync(join(directory, "pki"), { recursive: true });
  for (const [name, content] of Object.entries(caFiles)) writeFileSync(join(directory, name), content);
  return digestInputs({ kubeconfig: file, context, environment: {} });
}

const SPELLINGS = [
  {
    name: "plain, relative",
    text: "clusters:\n- cluster:\n    certificate-authority: pki/ca.crt\n    server: s\n",
  },
  { name: "plain, absolute", text: `certificate-authority:   ${directory}/pki/ca.crt   \r\n` },
  { name: "plain, with a comment", text: "  certificate-authority: pki/ca.crt # of the cluster\n" },
  { name: "double quotes", text: '  certificate-authority: "pki/ca.crt"\n' },
  { name: "single quotes", text: "  certificate-authority: 'pki/ca.crt'\n" },
  { name: "JSON", text: '{"cluster":{"certificate-authority":"pki/ca.crt","server":"s"}}' },
  { name: "flow mapping", text: "cluster: {server: s, certificate-authority: pki/ca.crt}\n" },
  {
    name: "beside inline data",
    text: "certificate-authority-data: AAAA\ncertificate-authority: pki/ca.crt\n",
  },
];
for (const { name, text } of SPELLINGS) {
  test(`the digest follows the content of a CA file that is named in ${name}`, () => {
    const first = digestOf(text, { "pki/ca.crt": "one" });
    assert.equal(first.isComplete, true);
    assert.match(first.digest, /^[0-9a-f]{64}$/);
    assert.deepEqual(digestOf(text, { "pki/ca.crt": "one" }), first);
    assert.notEqual(digestOf(text, { "pki/ca.crt": "two" }).digest, first.digest);
  });
}

const UNSURE = [
  { name: "a folded scalar", text: "certificate-authority: >-\n  pki/ca.crt\n" },
  { name: "an alias", text: "x: &ca pki/ca.crt\ncertificate-authority: *ca\n" },
  { name: "a value on the next line", text: "certificate-authority:\n  pki/ca.crt\n" },
  { name: "an escape", text: '"certificate-authority": "pki\\u002fca.crt"\n' },
];
for (const { name, text } of UNSURE) {
  test(`a CA file named by ${name} makes the digest incomplete, and a change of the kubeconfig still changes it`, () => {
    const first = digestOf(text);
    assert.equal(first.isComplete, false);
    assert.notEqual(digestOf(`${text}# more\n`).digest, first.digest);
  });
}

test("inline data needs no further file, and any change of the kubeconfig or the context changes the digest", () => {
  const text = "clusters: [{cluster: {certificate-authority-data: AAAA}}]";
  const first = digestOf(text);
  assert.equal(first.isComplete, true);
  assert.notEqual(digestOf(`${text} `).digest, first.digest);
  assert.notEqual(digestOf(text, {}, "staging").digest, first.digest);
});

test("inputs that cannot be read give no digest", () => {
  const unreadable = { digest: "", isComplete: false };
  assert.deepEqual(digestOf("certificate-authority: pki/none.crt\n"), unreadable);
  const missing = { kubeconfig: join(directory, "none"), context: undefined, environment: {} };
  assert.deepEqual(digestInputs(missing), unreadable);
  assert.deepEqual(digestInputs({ kubeconfig: undefined, context: undefined, environment: {} }), unreadable);
});

test("in a pod the digest follows the CA bundle alone", () => {
  const environment = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" };
  const options = {
    kubeconfig: undefined,
    context: undefined,
    environment,
    serviceAccountDirectory: directory,
  };
  writeFileSync(join(directory, "token"), "t");
  writeFileSync(join(directory, "ca.crt"), certificatePem("ca"));
  const first = digestInputs(options);
  writeFileSync(join(directory, "token"), "rotated");
  assert.deepEqual(digestInputs(options), first);
  writeFileSync(join(directory, "ca.crt"), certificatePem("other-ca"));
  assert.notEqual(digestInputs(options).digest, first.digest);
});

function credentialsWith(digest: string, load: () => ResolvedCredentials): Credentials {
  const source = { inputs: () => ({ digest, isComplete: digest !== "" }), load: async () => load() };
  return new Credentials(source, { clock: new FakeClock(), log: new RecordingLog() });
}

const KEPT = { caFingerprint: caFingerprint(CREDENTIALS, certificatePem("ca")), configDigest: "d" };
const WITH_CA = { ...CREDENTIALS, ca: { text: certificatePem("ca") } };

test("a snapshot is of the same cluster by an equal digest, without loading credentials", async () => {
  const neverLoaded = credentialsWith("d", () => {
    throw new Error("loaded");
  });
  assert.equal(await compareIdentity(KEPT, neverLoaded), "same");
});

test("with another digest the fingerprints decide", async () => {
  assert.equal(
    await compareIdentity(
      KEPT,
      credentialsWith("e", () => WITH_CA),
    ),
    "same",
  );
  const foreign = { ...CREDENTIALS, ca: { text: certificatePem("other-ca") } };
  assert.equal(
    await compareIdentity(
      KEPT,
      credentialsWith("e", () => foreign),
    ),
    "other",
  );
});

test("an incomplete digest never counts as equal", async () => {
  const foreign = credentialsWith("", () => ({ ...CREDENTIALS, ca: { text: certificatePem("other-ca") } }));
  assert.equal(await compareIdentity({ ...KEPT, configDigest: "" }, foreign), "other");
});

test("credentials that cannot be loaded leave it unknown, and say why", async () => {
  const broken = credentialsWith("e", () => {
    throw new Error("kubeconfig /k is not valid YAML");
  });
  const result = await compareIdentity(KEPT, broken);
  assert.ok(typeof result === "object");
  assert.equal(result.unknown.message, "kubeconfig /k is not valid YAML");
});
