import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { kubeconfigText, sampleCluster } from "../support/agent-fixtures.ts";
import { freePort } from "../support/control-plane-process.ts";
import { startEmbeddedApi } from "../support/embedded-api.ts";
import { RunningAgent } from "../support/running-agent.ts";

const CLUSTER = sampleCluster(5);

/** An agent that has written a snapshot and was killed; its API server is gone. */
async function crashedAgent(t: TestContext): Promise<RunningAgent> {
  const api = await startEmbeddedApi({ objects: CLUSTER.objects });
  t.after(() => api.close());
  const agent = await RunningAgent.prepare(t);
  await writeFile(join(agent.directory, "kubeconfig"), kubeconfigText(api.url));
  start(agent);
  await agent.untilLive();
  assert.equal(await agent.stop(), 0);
  await api.close();
  return agent;
}

function start(agent: RunningAgent): void {
  agent.start({ options: [`--kubeconfig=${join(agent.directory, "kubeconfig")}`] });
}

const DAMAGES: readonly {
  what: string;
  damage: (bytes: Buffer) => Buffer;
  problem: RegExp;
  aside: RegExp;
}[] = [
  {
    what: "truncated",
    damage: (bytes) => bytes.subarray(0, bytes.length >> 1),
    problem: /^snapshot\.current is not used: its SHA-256 does not match/,
    aside: /^snapshot\.aside-\d+-current-damaged$/,
  },
  {
    what: "with one bit flipped",
    damage: (bytes) => {
      bytes[bytes.length >> 1] ^= 4;
      return bytes;
    },
    problem: /^snapshot\.current is not used: its SHA-256 does not match/,
    aside: /^snapshot\.aside-\d+-current-damaged$/,
  },
  {
    what: "empty",
    damage: () => Buffer.alloc(0),
    problem: /^snapshot\.current is not used: it has only 0 bytes/,
    aside: /^snapshot\.aside-\d+-current-damaged$/,
  },
  {
    what: "of a later format",
    damage: (bytes) => {
      bytes.writeUInt16BE(99, 8);
      bytes.writeUInt16BE(99, 10);
      return bytes;
    },
    problem: /^snapshot\.current is not used: its format 99 needs a reader of format 99; this version reads/,
    aside: /^snapshot\.aside-\d+-current-newer$/,
  },
];

describe("a snapshot that cannot be used", { concurrency: 3 }, () => {
  for (const { what, damage, problem, aside } of DAMAGES) {
    test(`the newest generation ${what}: the one before is served, and the file is kept`, async (t) => {
      const agent = await crashedAgent(t);
      const current = join(agent.dataDirectory, "snapshot.current");
      const good = await readFile(current);
      await writeFile(join(agent.dataDirectory, "snapshot.previous"), good, { mode: 0o600 });
      await writeFile(current, damage(Buffer.from(good)));
      start(agent);
      const status = await agent.untilReady();
      const probe = await agent.probe();
      for (const { qname } of CLUSTER.expected)
        assert.equal((await probe.query(qname, "A")).rcode, "NOERROR", qname);
      const { snapshot } = await agent.untilStatus("the problem", ({ snapshot }) =>
        snapshot.problems.some((text) => problem.test(text)),
      );
      assert.equal(snapshot.problems.length, 1);
      assert.equal(status.kinds.length, 3);
      const files = await readdir(agent.dataDirectory);
      assert.ok(
        files.some((file) => aside.test(file)),
        files.join(" "),
      );
    });
  }

  test("no generation is whole: it starts empty, says so, and denies nothing", async (t) => {
    const agent = await crashedAgent(t);
    await writeFile(
      join(agent.dataDirectory, "snapshot.current"),
      "not a snapshot, but long enough for one............",
    );
    await writeFile(join(agent.dataDirectory, "snapshot.previous"), "");
    start(agent);
    const { snapshot, summary } = await agent.untilStatus(
      "both problems",
      ({ snapshot }) => snapshot.problems.length === 2,
    );
    assert.match(snapshot.problems.join("\n"), /current is not used: .*\n.*previous is not used: /);
    assert.match(summary, /snapshot\.current is not used/);
    const probe = await agent.probe();
    const [{ qname }] = CLUSTER.expected;
    const reply = await probe.query(qname, "A");
    assert.deepEqual([reply.rcode, reply.extendedErrors], ["SERVFAIL", [14]]);
    assert.equal((await agent.get("/readyz")).status, 503);
    assert.equal((await agent.get("/healthz")).status, 200);
  });

  test("of another cluster: set aside, not served", async (t) => {
    const agent = await crashedAgent(t);
    await writeFile(
      join(agent.directory, "kubeconfig"),
      kubeconfigText(`http://127.0.0.1:${await freePort()}`),
    );
    start(agent);
    const { snapshot } = await agent.untilStatus(
      "the problem",
      ({ snapshot }) => snapshot.problems.length > 0,
    );
    assert.match(
      snapshot.problems[0],
      /^snapshot\.current is not used: it belongs to another cluster: its CA is /,
    );
    const probe = await agent.probe();
    assert.equal((await probe.query(CLUSTER.expected[0].qname, "A")).rcode, "SERVFAIL");
    const files = await readdir(agent.dataDirectory);
    assert.ok(files.some((file) => /^snapshot\.aside-\d+-current-foreign$/.test(file)));
  });
});
