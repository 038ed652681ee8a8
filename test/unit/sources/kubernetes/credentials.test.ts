import assert from "node:assert/strict";
import { test } from "node:test";
import { Credentials } from "../../../../src/sources/kubernetes/credentials.ts";
import type {
  CredentialsSource,
  ResolvedCredentials,
} from "../../../../src/sources/kubernetes/credentials.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { RecordingLog } from "../../../support/recording-log.ts";

/** A source whose loads the test answers. */
class ScriptedSource implements CredentialsSource {
  digest = "a";
  loads = 0;
  result: () => ResolvedCredentials = () => made();
  inputs() {
    return { digest: this.digest, isComplete: this.digest !== "" };
  }
  async load(): Promise<ResolvedCredentials> {
    this.loads += 1;
    return this.result();
  }
}

function made(changes: Partial<ResolvedCredentials> = {}): ResolvedCredentials {
  return {
    server: "https://10.0.0.1:6443/",
    token: { text: "secret" },
    skipTlsVerify: false,
    headers: {},
    needsRefresh: false,
    presents: "the token",
    ...changes,
  };
}

function setUp() {
  const source = new ScriptedSource();
  const clock = new FakeClock();
  const log = new RecordingLog();
  return { source, clock, log, credentials: new Credentials(source, { clock, log }) };
}

test("concurrent requests share one load, and later ones its result", async () => {
  const { source, credentials } = setUp();
  const [first, second] = await Promise.all([credentials.get(), credentials.get()]);
  assert.equal(first, second);
  assert.equal(await credentials.get(), first);
  assert.equal(source.loads, 1);
});

test("a changed kubeconfig is loaded at the next request", async () => {
  const { source, clock, credentials } = setUp();
  await credentials.get();
  assert.equal(credentials.configDigest, "a");
  source.digest = "b";
  source.result = () => made({ server: "https://10.0.0.2:6443/" });
  clock.advance(10_000);
  assert.equal((await credentials.get()).server, "https://10.0.0.2:6443/");
  assert.equal(credentials.configDigest, "b");
});

test("a kubeconfig that cannot be loaded any more leaves the previous credentials in use, and says so", async () => {
  const { source, clock, log, credentials } = setUp();
  const first = await credentials.get();
  source.digest = "b";
  source.result = () => {
    throw new Error("kubeconfig /k is not valid YAML");
  };
  clock.advance(10_000);
  assert.equal(await credentials.get(), first);
  assert.deepEqual(log.messages("warn"), [
    "API credentials changed and cannot be loaded; the previous ones stay",
  ]);
  assert.equal(credentials.configDigest, "a");
});

test("a kubeconfig that cannot be read for a moment is not a change", async () => {
  const { source, clock, credentials } = setUp();
  await credentials.get();
  source.digest = "";
  clock.advance(60_000);
  await credentials.get();
  assert.equal(source.loads, 1);
});

test("a failed load is not repeated within ten seconds, whoever asks", async () => {
  const { source, clock, credentials } = setUp();
  source.result = () => {
    throw new Error("no Kubernetes credentials found");
  };
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await assert.rejects(credentials.get(), { message: "no Kubernetes credentials found" });
  }
  assert.equal(source.loads, 1);
  clock.advance(10_000);
  source.result = () => made();
  await credentials.get();
  assert.equal(source.loads, 2);
});

test("a token that was made for us is made again shortly before it runs out", async () => {
  const { source, clock, credentials } = setUp();
  source.result = () => made({ needsRefresh: true, expiresAtWallMs: clock.wallMs() + 60_000 });
  await credentials.get();
  clock.advance(49_000);
  await credentials.get();
  assert.equal(source.loads, 1);
  clock.advance(1_000);
  await credentials.get();
  assert.equal(source.loads, 2);
});

test("a refused token that was made for us is made again; a refused static one cannot be", async () => {
  const { source, clock, credentials } = setUp();
  const fixed = await credentials.get();
  clock.advance(10_000);
  credentials.refuse(fixed);
  assert.equal(await credentials.get(), fixed);

  source.result = () => made({ needsRefresh: true });
  source.digest = "b";
  const temporary = await credentials.get();
  clock.advance(10_000);
  credentials.refuse(temporary);
  assert.notEqual(await credentials.get(), temporary);
  credentials.refuse(temporary);
  clock.advance(10_000);
  await credentials.get();
  assert.equal(source.loads, 3, "the refusal of credentials that are not in use any more says nothing");
});

test("an expired token is not used when no new one can be made: the error says why", async () => {
  const { source, clock, credentials } = setUp();
  source.result = () => made({ needsRefresh: true, expiresAtWallMs: clock.wallMs() + 60_000 });
  await credentials.get();
  clock.advance(60_000);
  source.result = () => {
    throw new Error('exec plugin "login" failed: no session');
  };
  await assert.rejects(credentials.get(), { message: 'exec plugin "login" failed: no session' });
});

test("the log says where the credentials lead and what they are, not the token", async () => {
  const { log, credentials } = setUp();
  await credentials.get();
  assert.deepEqual(log.lines, [
    {
      level: "info",
      message: "API credentials loaded",
      fields: { server: "https://10.0.0.1:6443/", presents: "the token" },
    },
  ]);
});
