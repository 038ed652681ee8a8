import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { kubeconfigText, qnameOf } from "../support/agent-fixtures.ts";
import { DnsProbe } from "../support/dns-probe.ts";
import { certificatePem } from "../support/pki.ts";
import { RunningAgent } from "../support/running-agent.ts";
import { startServer } from "../support/tls-server.ts";

const COMMAND = fileURLToPath(new URL("../../bin/holdfast.cjs", import.meta.url));
const EXIT_USAGE = 2;
const EDE_NOT_READY = 14;
const GOOD = `
apiVersion: v1
kind: Service
metadata: { name: good, namespace: default }
spec: { type: ClusterIP, clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1], ports: [{ port: 80 }] }
`;

function runToEnd(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [COMMAND, "agent", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject).once("close", (code) => resolve({ code, out, err }));
  });
}

const WRONG_CALLS: readonly (readonly [args: string[], message: RegExp])[] = [
  [
    ["--lisen=127.0.0.1:53"],
    /^holdfast agent: unknown flag "--lisen" \(did you mean --listen\?\); accepted are /,
  ],
  [
    ["--listen=127.0.0.1"],
    /^holdfast agent: listen: "127\.0\.0\.1" from --listen: the port is missing; accepted is /,
  ],
  [
    ["--listen=dns:53"],
    /^holdfast agent: listen: "dns:53" from --listen: "dns" is not an IPv4 address; accepted is /,
  ],
  [
    ["--zone=-bad-"],
    /^holdfast agent: zone: "-bad-" from --zone: label "-bad-" begins or ends with a hyphen; /,
  ],
  [["--config=/nowhere.yaml"], /^holdfast agent: .*\/nowhere\.yaml/],
];

async function writeManifests(agent: RunningAgent, text = GOOD): Promise<string> {
  const directory = join(agent.directory, "manifests");
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "good.yaml"), text);
  return `--manifests=${directory}`;
}

async function assertServesGood(agent: RunningAgent): Promise<void> {
  const probe = await agent.probe();
  const { answers } = await probe.query(qnameOf("good"), "A");
  assert.deepEqual(answers, [`${qnameOf("good")} A 10.96.0.1`]);
}

describe("a wrong call", { concurrency: 3 }, () => {
  for (const [args, message] of WRONG_CALLS) {
    test(`${args.join(" ")}: exit code 2 and one line`, async () => {
      const { code, out, err } = await runToEnd(...args);
      assert.equal(code, EXIT_USAGE);
      assert.equal(out, "");
      assert.match(err, message);
      assert.equal(err.trimEnd().split("\n").length, 1, err);
    });
  }
});

describe("credentials that are wrong", { concurrency: 3 }, () => {
  test("a kubeconfig that is missing: said, and the rest goes on", async (t) => {
    const agent = await RunningAgent.prepare(t);
    const kubeconfig = join(agent.directory, "kubeconfig");
    agent.start({ options: [`--kubeconfig=${kubeconfig}`] });
    await agent.untilStatus("the missing file", ({ kinds }) =>
      kinds.every(({ reason }) => reason === `cannot read kubeconfig ${kubeconfig} (ENOENT)`),
    );
    assert.equal((await agent.get("/readyz")).status, 503);
    assert.equal((await agent.get("/healthz")).status, 200);
    const probe = await agent.probe();
    const { rcode, extendedErrors } = await probe.query(qnameOf("good"), "A");
    assert.deepEqual([rcode, extendedErrors], ["SERVFAIL", [EDE_NOT_READY]]);
  });

  test("a kubeconfig that is no YAML: the place of the mistake and nothing of the content", async (t) => {
    const agent = await RunningAgent.prepare(t);
    const kubeconfig = join(agent.directory, "kubeconfig");
    await writeFile(kubeconfig, "clusters: []\nusers: [secret-token\n");
    agent.start({ options: [`--kubeconfig=${kubeconfig}`] });
    const { kinds } = await agent.untilStatus("the mistake", ({ kinds }) =>
      kinds.every(({ reason }) => reason !== "" && !reason.includes("not reported")),
    );
    assert.match(kinds[0].reason, /^kubeconfig .* is not valid YAML \(\w+ at line \d, column \d+\)$/);
    assert.ok(!agent.output().includes("secret-token"));
  });

  test("a kubeconfig of another kind of source: what manifests left on disk is not served as the cluster's", async (t) => {
    const agent = await RunningAgent.prepare(t);
    agent.start({ options: [await writeManifests(agent)] });
    await agent.untilLive();
    assert.equal(await agent.stop(), 0);
    agent.start({ options: [`--kubeconfig=${join(agent.directory, "kubeconfig")}`] });
    const { snapshot } = await agent.untilStatus("the foreign snapshot", ({ snapshot }) =>
      snapshot.problems.some((problem) => problem.includes("belongs to another cluster")),
    );
    assert.match(snapshot.problems[0], /its CA is manifests:/);
    const probe = await agent.probe();
    assert.equal((await probe.query(qnameOf("good"), "A")).rcode, "SERVFAIL");
  });

  test("an expired token: said with who refused it, and never shown", async (t) => {
    const refusing = await startServer({ certificate: "server" }, (_request, response) => {
      response.writeHead(401, { "content-type": "application/json" });
      response.end(JSON.stringify({ kind: "Status", status: "Failure", message: "Unauthorized", code: 401 }));
    });
    t.after(() => refusing.close());
    const agent = await RunningAgent.prepare(t);
    const kubeconfig = join(agent.directory, "kubeconfig");
    const config = JSON.parse(kubeconfigText(refusing.url, "stale-secret")) as {
      clusters: { cluster: Record<string, string> }[];
    };
    config.clusters[0].cluster["certificate-authority-data"] = Buffer.from(certificatePem("ca")).toString(
      "base64",
    );
    await writeFile(kubeconfig, JSON.stringify(config));
    agent.start({ options: [`--kubeconfig=${kubeconfig}`] });
    const { kinds } = await agent.untilStatus("the refusal", ({ kinds }) =>
      kinds.every(({ reason }) => reason.includes("401")),
    );
    assert.match(kinds[0].reason, /token/);
    assert.ok(refusing.requests.every(({ headers }) => headers.authorization === "Bearer stale-secret"));
    assert.ok(!agent.output().includes("stale-secret"));
    assert.ok(!(await agent.get("/status")).body.includes("stale-secret"));
    assert.equal((await agent.get("/healthz")).status, 200);
  });
});

describe("places that cannot be used", { concurrency: 3 }, () => {
  test("a port that another process has: the other address serves, and this one when it is free", async (t) => {
    const taken = createSocket("udp4");
    t.after(() => closeSocket(taken));
    const port = await bindSocket(taken);
    const agent = await RunningAgent.prepare(t, "--listen=127.0.0.1:0", `--listen=127.0.0.1:${port}`);
    agent.start({ options: [await writeManifests(agent)] });
    const { sockets } = await agent.untilLive();
    const refused = sockets.filter(({ isOpen }) => !isOpen);
    assert.deepEqual(
      refused.map(({ address, transport }) => [address, transport]),
      [[`127.0.0.1:${port}`, "udp"]],
    );
    assert.match(
      refused[0].problem,
      /^Cannot listen on 127\.0\.0\.1:\d+\/udp: another process has the port\. Stop it \("ss -lunp sport = :\d+" shows it\)/,
    );
    await assertServesGood(agent);
    assert.equal((await agent.get("/readyz")).status, 200);
    closeSocket(taken);
    await agent.untilStatus("all sockets", ({ sockets }) => sockets.every(({ isOpen }) => isOpen));
    const probe = await DnsProbe.open(port);
    t.after(() => probe.close());
    assert.equal((await probe.query(qnameOf("good"), "A")).rcode, "NOERROR");
  });

  test("a file where the data directory should be: said, and everything is served from memory", async (t) => {
    const agent = await RunningAgent.prepare(t);
    const file = join(agent.directory, "a-file");
    await writeFile(file, "");
    agent.start({ options: [await writeManifests(agent), `--data-dir=${file}`] });
    await assertServesGood(agent);
    const { snapshot, summary, isReady } = await agent.untilStatus(
      "the failed write",
      ({ snapshot }) => snapshot.isLastWriteOk === false,
    );
    assert.match(snapshot.problems.at(-1)!, /^it cannot be written: E\w+: .*a-file/);
    assert.match(summary, /snapshot: it cannot be written/);
    assert.ok(isReady);
    await assertServesGood(agent);
  });

  const isRoot = process.getuid?.() === 0;
  test(
    "a data directory without the right to write",
    { skip: isRoot && "root may write everywhere" },
    async (t) => {
      const agent = await RunningAgent.prepare(t);
      const directory = join(agent.directory, "read-only");
      await mkdir(directory);
      await chmod(directory, 0o500);
      agent.start({ options: [await writeManifests(agent), `--data-dir=${directory}`] });
      const { snapshot } = await agent.untilStatus(
        "the failed write",
        ({ snapshot }) => snapshot.isLastWriteOk === false,
      );
      assert.match(snapshot.problems.at(-1)!, /^it cannot be written: EACCES: /);
      await assertServesGood(agent);
    },
  );

  test("a manifests directory that is missing: said, and read when it comes", async (t) => {
    const agent = await RunningAgent.prepare(t);
    const directory = join(agent.directory, "manifests");
    agent.start({ options: [`--manifests=${directory}`] });
    const { kinds } = await agent.untilStatus("the missing directory", ({ kinds }) =>
      kinds.every(({ reason }) => reason.startsWith("manifests in ")),
    );
    assert.match(kinds[0].reason, /^manifests in .*\/manifests cannot be read: ENOENT/);
    await writeManifests(agent);
    await agent.untilLive();
    await assertServesGood(agent);
  });
});

const BAD_MANIFESTS: readonly { what: string; text: string; reason: RegExp }[] = [
  {
    what: "a kind that is not served",
    text: "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web, namespace: default }\n",
    reason: /^kind Deployment is not served; accepted are Service \(v1\)/,
  },
  {
    what: "an address that is none",
    text: GOOD.replaceAll("10.96.0.1", "10.96.0.999").replace("good", "bad"),
    reason: /^Service default\/bad: spec\.clusterIPs is "10\.96\.0\.999"; accepted is an IP address or None/,
  },
  {
    what: "YAML that is none",
    text: "apiVersion: v1\nkind: Service\nmetadata: { name: [broken\n",
    reason: /^YAML: /,
  },
];

test("mistakes in manifests cost what they are in, are said, and heal", async (t) => {
  const agent = await RunningAgent.prepare(t);
  const option = await writeManifests(agent);
  const file = (index: number) => join(agent.directory, "manifests", `bad-${index}.yaml`);
  for (const [index, { text }] of BAD_MANIFESTS.entries()) await writeFile(file(index), text);
  agent.start({ options: [option] });
  const { rejections } = await agent.untilLive();
  await assertServesGood(agent);
  for (const [index, { what, reason }] of BAD_MANIFESTS.entries()) {
    const found = rejections.latest.find(({ where }) =>
      where.startsWith(`bad-${index}.yaml document 1 line `),
    );
    assert.match(found?.reason ?? "", reason, what);
  }
  assert.equal((await agent.get("/readyz")).status, 200);
  const probe = await agent.probe();
  for (const index of BAD_MANIFESTS.keys()) {
    const name = `healed-${index}`;
    await writeFile(file(index), GOOD.replace("good", name));
    const isServed = async () => (await probe.query(qnameOf(name), "A")).answers[0];
    await agent.until(`${name} served`, isServed);
  }
  await assertServesGood(agent);
});

async function bindSocket(socket: Socket): Promise<number> {
  socket.bind({ port: 0, address: "127.0.0.1", exclusive: true });
  await once(socket, "listening");
  return socket.address().port;
}

function closeSocket(socket: Socket): void {
  try {
    socket.close();
  } catch {
    // Closed by the test already.
  }
}
