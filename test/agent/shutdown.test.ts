import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { addressOf, qnameOf } from "../support/agent-fixtures.ts";
import { freePort } from "../support/control-plane-process.ts";
import { composeQuery, messageId, TcpClient, UdpClient } from "../support/dns-client.ts";
import { DnsProbe } from "../support/dns-probe.ts";
import { RunningAgent } from "../support/running-agent.ts";

const SERVICES = 50;

function serviceManifest(name: string, clusterIP: string): string {
  return `---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec: { type: ClusterIP, clusterIP: ${clusterIP}, clusterIPs: [${clusterIP}], ports: [{ port: 80 }] }
`;
}

async function startAgent(t: TestContext, ...options: string[]): Promise<RunningAgent> {
  const agent = await RunningAgent.prepare(t, ...options);
  const manifests = join(agent.directory, "manifests");
  await mkdir(manifests);
  const services = Array.from({ length: SERVICES }, (_, index) =>
    serviceManifest(`web-${index}`, addressOf(index)),
  );
  await writeFile(join(manifests, "services.yaml"), services.join(""));
  agent.start({ options: [`--manifests=${manifests}`] });
  await agent.untilLive();
  return agent;
}

function localhost(port: number) {
  return { family: 4, address: "127.0.0.1", port } as const;
}

describe("the end of an agent", { concurrency: 2 }, () => {
  test("SIGTERM: what was asked is answered over UDP and TCP, then exit code 0", async (t) => {
    const agent = await startAgent(t);
    const to = localhost(await agent.port());
    const [udp, tcp] = [await UdpClient.open(), await TcpClient.open(to)];
    t.after(() => {
      udp.close();
      tcp.close();
    });
    // On loopback, what `send` took is in the agent's receive buffer: asked before the signal.
    const asked = 200;
    for (let id = 0; id < asked; id++) {
      const query = composeQuery(qnameOf(`web-${id % SERVICES}`), 1, id);
      await udp.send(to, query);
      tcp.send(query);
    }
    const [first] = await Promise.all([tcp.receive(), agent.stop().then((code) => assert.equal(code, 0))]);
    const overTcp = new Set([messageId(first)]);
    const overUdp = new Set<number>();
    while (overTcp.size < asked) overTcp.add(messageId(await tcp.receive()));
    while (overUdp.size < asked) overUdp.add(messageId((await udp.receive()).message));
    await assert.rejects(tcp.receive(), /closed the connection/);
  });

  test("SIGTERM right after a change: the change is on disk", async (t) => {
    const agent = await startAgent(t);
    const probe = await agent.probe();
    await writeFile(
      join(agent.directory, "manifests", "late.yaml"),
      serviceManifest("written-last", "10.97.0.1"),
    );
    const isAnswered = async () => (await probe.query(qnameOf("written-last"), "A")).answers[0];
    await agent.until("the change", isAnswered);
    assert.equal(await agent.stop(), 0);
    const snapshot = await readFile(join(agent.dataDirectory, "snapshot.current"), "latin1");
    assert.ok(snapshot.includes("written-last"));
  });

  test("SIGTERM while it starts: it ends well", async (t) => {
    const agent = await RunningAgent.prepare(t);
    agent.start({ options: [`--manifests=${agent.directory}`] });
    await agent.untilLogged("any line", () => true);
    assert.equal(await agent.stop(), 0);
    for (const line of agent.output().split("\n"))
      assert.ok(line.split('"component":').length <= 2, `a component twice: ${line}`);
  });

  test("a successor on the same address takes over without a lost query", async (t) => {
    const port = await freePort();
    const listen = `--listen=127.0.0.1:${port}`;
    // With data directories of their own: the successor starts with nothing, and must not answer from nothing.
    const before = await startAgent(t, listen);
    const ending = new AbortController();
    let asked = 0;
    const missed: string[] = [];
    // A fresh socket each: the kernel chooses between two processes by the client's port.
    const ask = async (): Promise<void> => {
      while (!ending.signal.aborted) {
        const index = asked++ % SERVICES;
        const probe = await DnsProbe.open(port);
        try {
          const { answers } = await probe.queryUdp(qnameOf(`web-${index}`), "A");
          if (!answers[0]?.endsWith(` ${addressOf(index)}`)) missed.push(`web-${index}: ${answers.join()}`);
        } catch (error) {
          missed.push(String(error));
        } finally {
          probe.close();
        }
      }
    };
    const load = [ask(), ask(), ask()];
    const after = await startAgent(t, listen);
    const neighbour = await after.untilLogged("a warning", ({ msg }) => /listens here too/.test(msg));
    assert.equal(neighbour["address"], `127.0.0.1:${port}`);
    const askedBefore = asked;
    assert.equal(await before.stop(), 0);
    await after.until("some load after the hand-over", () =>
      Promise.resolve(asked > askedBefore + 100 ? true : undefined),
    );
    ending.abort();
    await Promise.all(load);
    assert.deepEqual(missed.slice(0, 5), [], `${missed.length} of ${asked} missed`);
  });

  test("SIGTERM: the heartbeat ends before the answers do", async (t) => {
    const heartbeat = await mkdtemp(join(tmpdir(), "holdfast-heartbeat-"));
    t.after(() => rm(heartbeat, { recursive: true }));
    const agent = await startAgent(t, `--heartbeat-dir=${heartbeat}`);
    const files = () => readdir(heartbeat);
    await agent.until("ready", async () => ((await files()).includes("ready") ? true : undefined));
    assert.equal(await agent.stop(), 0);
    assert.deepEqual(await files(), ["alive"]);
  });
});
