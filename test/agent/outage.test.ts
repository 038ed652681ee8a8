import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import type { KubernetesObject } from "../../src/relay/stored-object.ts";
import {
  clusterIpService,
  inOtherCluster,
  kubeconfigText,
  qnameOf,
  sampleCluster,
  type ExpectedAnswer,
} from "../support/agent-fixtures.ts";
import type { DnsProbe } from "../support/dns-probe.ts";
import {
  startEmbeddedApi,
  type EmbeddedApi,
  type EmbeddedApiOptions,
  type SeenRequest,
} from "../support/embedded-api.ts";
import { RunningAgent } from "../support/running-agent.ts";

const EDE_STALE_ANSWER = 3;
const EDE_STALE_NXDOMAIN = 19;
const MAX_STALE_TTL_SECONDS = 30;
const FEEDS = 4;
const CLUSTER = sampleCluster();

async function startCluster(t: TestContext, options: EmbeddedApiOptions = {}): Promise<EmbeddedApi> {
  const api = await startEmbeddedApi({ objects: CLUSTER.objects, ...options });
  t.after(() => api.close());
  return api;
}

async function prepareAgent(t: TestContext, api: EmbeddedApi): Promise<RunningAgent> {
  const agent = await RunningAgent.prepare(t);
  const kubeconfig = join(agent.directory, "kubeconfig");
  await writeFile(kubeconfig, kubeconfigText(api.url));
  agent.start({ options: [`--kubeconfig=${kubeconfig}`] });
  return agent;
}

function restart(agent: RunningAgent): void {
  agent.start({ options: [`--kubeconfig=${join(agent.directory, "kubeconfig")}`] });
}

async function assertAnswers(probe: DnsProbe, expected: readonly ExpectedAnswer[]): Promise<void> {
  for (const { qname, addresses } of expected) {
    const { rcode, answers } = await probe.query(qname, "A");
    assert.equal(rcode, "NOERROR", qname);
    assert.deepEqual(answers.map((answer) => answer.split(" ")[2]).toSorted(), addresses, qname);
  }
}

/** An agent that was in step with an API server, in whose place another stands now. */
async function replaceApi(
  t: TestContext,
  objects: readonly KubernetesObject[],
): Promise<{ agent: RunningAgent; api: EmbeddedApi }> {
  const before = await startCluster(t);
  const agent = await prepareAgent(t, before);
  await agent.untilLive();
  await before.close();
  // Above everything that the first one gave out: its successor cannot continue the agent's watches.
  const api = await startCluster(t, { objects, port: before.port, store: { firstRevision: 1_000 } });
  return { agent, api };
}

async function assertServed(agent: RunningAgent): Promise<void> {
  await assertAnswers(await agent.probe(), CLUSTER.expected);
}

/** Lists of whole feeds, streamed ones too. */
function lists(api: EmbeddedApi): string[] {
  return api
    .requests()
    .filter((request) =>
      request.list ? !isIdentityQuestion(request) : request.query.get("sendInitialEvents") === "true",
    )
    .map(({ path }) => path);
}

/** Which cluster is it? One object, by its name. */
function isIdentityQuestion({ list, path }: SeenRequest): boolean {
  return list && path.includes("kube-system");
}

describe("an agent and an API server", { concurrency: 5 }, () => {
  test("a change is answered, and a deletion too", async (t) => {
    const api = await startCluster(t);
    const agent = await prepareAgent(t, api);
    await agent.untilLive();
    const probe = await agent.probe();
    await assertAnswers(probe, CLUSTER.expected);
    const qname = qnameOf("late");
    assert.equal((await probe.query(qname, "A")).rcode, "NXDOMAIN");
    api.put(clusterIpService("late", "10.97.0.1"));
    await agent.until("the new Service", async () => (await probe.query(qname, "A")).answers[0]);
    await assertAnswers(probe, [{ qname, addresses: ["10.97.0.1"] }]);
    api.put(clusterIpService("late", "10.97.0.2"));
    await agent.until("the changed Service", async () =>
      (await probe.query(qname, "A")).answers.find((answer) => answer.endsWith(" 10.97.0.2")),
    );
    api.delete("Service", "default", "late");
    const isGone = async () => ((await probe.query(qname, "A")).rcode === "NXDOMAIN" ? true : undefined);
    await agent.until("NXDOMAIN", isGone);
    assert.deepEqual((await probe.query(qname, "A")).extendedErrors, []);
    await assertAnswers(probe, CLUSTER.expected);

    await t.test("and neither probes nor pages count as what clients were told", async () => {
      for (const path of ["/healthz", "/readyz", "/status"]) await agent.get(path);
      const { traffic } = await agent.status();
      assert.deepEqual(traffic.extendedErrors, {});
      assert.equal(traffic.staleAnswers, 0);
      assert.equal((await probe.query("www.example.com", "A")).rcode, "REFUSED");
      const { liveAnswers, responsesByRcode } = (await agent.status()).traffic;
      assert.equal(responsesByRcode["REFUSED"], 1);
      assert.equal(liveAnswers, responsesByRcode["NOERROR"] + responsesByRcode["NXDOMAIN"]);
    });
  });

  test("killed, and the API server gone: everything from the disk, and said to be old", async (t) => {
    const api = await startCluster(t);
    const agent = await prepareAgent(t, api);
    await agent.untilLive();
    api.put(clusterIpService("last", "10.97.0.9"));
    await agent.untilSnapshotHolds(String(api.revision - 1));
    const first = await agent.probe();
    await agent.until("the last change", async () => (await first.query(qnameOf("last"), "A")).answers[0]);
    // The promise is one second from answered to disk: the file says when.
    await agent.until("the last change on disk", async () => {
      const file = await readFile(join(agent.dataDirectory, "snapshot.current"), "latin1");
      return file.includes("last") ? true : undefined;
    });
    await agent.kill();
    const { port } = api;
    await api.close();

    restart(agent);
    await agent.untilReady();
    const probe = await agent.probe();
    await assertAnswers(probe, [...CLUSTER.expected, { qname: qnameOf("last"), addresses: ["10.97.0.9"] }]);
    const stale = await probe.query(qnameOf("web-1"), "A");
    assert.deepEqual(stale.extendedErrors, [EDE_STALE_ANSWER]);
    assert.ok(stale.ttlSeconds! <= MAX_STALE_TTL_SECONDS);
    const absent = await probe.query(qnameOf("absent"), "A");
    assert.deepEqual([absent.rcode, absent.extendedErrors], ["NXDOMAIN", [EDE_STALE_NXDOMAIN]]);
    assert.equal((await agent.get("/readyz")).status, 200);
    assert.equal((await agent.get("/healthz")).status, 200);
    const status = await agent.untilStatus("a reason", ({ kinds }) =>
      kinds.every(({ reason }) => reason !== ""),
    );
    for (const { state, isComplete, ageSeconds } of status.kinds) {
      assert.deepEqual([state, isComplete], ["restored", true]);
      assert.ok(ageSeconds !== undefined && ageSeconds < 120, `age is ${ageSeconds}`);
    }
    assert.match(status.kinds[0].reason, /connection refused/);
    assert.equal(await agent.metric('holdfast_kind_state{kind="Service",state="restored"}'), 1);

    await t.test("back with its history, it is followed without a list", async (t) => {
      // A server whose history starts where the agent's snapshot ends would answer 410; this one knows everything.
      const back = await startEmbeddedApi({
        objects: [...CLUSTER.objects, clusterIpService("last", "10.97.0.9")],
        port,
      });
      t.after(() => back.close());
      await agent.untilLive();
      assert.deepEqual(lists(back), []);
      assert.deepEqual((await probe.query(qnameOf("web-1"), "A")).extendedErrors, []);
    });
  });

  test("back without its history, the API server is listed again and nothing is lost meanwhile", async (t) => {
    const api = await startCluster(t);
    const agent = await prepareAgent(t, api);
    await agent.untilLive();
    await agent.untilSnapshotHolds("2");
    const probe = await agent.probe();
    const { port } = api;
    await api.close();
    const changed = CLUSTER.objects.filter(({ metadata }) => metadata.name !== "web-3");
    const back = await startCluster(t, { objects: changed, port, store: { firstRevision: 1_000 } });
    const isGone = async () =>
      (await probe.query(qnameOf("web-3"), "A")).rcode === "NXDOMAIN" ? true : undefined;
    await agent.until("the relist", isGone);
    await agent.untilLive();
    assert.ok(lists(back).length > 0);
    await assertAnswers(
      probe,
      CLUSTER.expected.filter(({ qname }) => qname !== qnameOf("web-3")),
    );
  });

  test("a restart with a fresh snapshot costs one watch per feed and no list", async (t) => {
    const api = await startCluster(t);
    const agent = await prepareAgent(t, api);
    await agent.untilLive();
    await agent.untilSnapshotHolds("2");
    assert.equal(await agent.stop(), 0);
    const before = api.requests().length;
    restart(agent);
    await agent.untilLive();
    const requests = api.requests().slice(before);
    const watches = requests.filter(({ watch }) => watch);
    assert.equal(watches.length, FEEDS, watches.map(({ path }) => path).join("\n"));
    assert.ok(watches.every(({ query }) => query.get("sendInitialEvents") !== "true"));
    const others = requests.filter((request) => !request.watch && !isIdentityQuestion(request));
    assert.deepEqual(
      others.map(({ path }) => path),
      [],
    );
    assert.ok(requests.length <= FEEDS + 1);
  });

  test("a crash loop that loses its snapshot each time stays within the budget", async (t) => {
    const api = await startCluster(t);
    const agent = await prepareAgent(t, api);
    let seen = 0;
    for (let round = 0; round < 30; round++) {
      await agent.until("a request, or the budget's no", () => {
        const isRefused = /budget/.test(agent.output());
        return Promise.resolve(api.requests().length > seen || isRefused ? true : undefined);
      });
      await agent.kill();
      seen = api.requests().length;
      for (const generation of ["current", "previous"])
        await rm(join(agent.dataDirectory, `snapshot.${generation}`), { force: true });
      if (round < 29) restart(agent);
    }
    // Full buckets, and what refills in the minute that this may take.
    assert.ok(lists(api).length <= 12 + 1, `${lists(api).length} lists`);
    assert.ok(api.requests().length <= 120 + 4, `${api.requests().length} requests`);
  });

  test("lists of another cluster behind the same address are held, loudly", async (t) => {
    const others = [
      ...inOtherCluster(CLUSTER.objects.slice(0, 2)),
      clusterIpService("web-0", "10.111.0.1"),
      clusterIpService("intruder", "10.111.0.2"),
    ];
    const { agent } = await replaceApi(t, others);
    const status = await agent.untilStatus("every list held", ({ held }) => held.length === 4);
    for (const { policy, reason } of status.held) {
      assert.equal(policy, "wrong-cluster");
      assert.match(reason, /comes from another cluster: kube-system has UID 99999999-/);
    }
    assert.match(status.summary, /the guard holds a list back/);
    await assertServed(agent);
    const probe = await agent.probe();
    assert.equal((await probe.query(qnameOf("intruder"), "A")).rcode, "NXDOMAIN");
    assert.equal(await agent.metric('holdfast_guard_held_lists{policy="wrong-cluster"}'), 4);
    assert.equal((await agent.get("/readyz")).status, 200);

    await t.test("and still after a restart, which does not take the other's identity", async () => {
      await agent.kill();
      restart(agent);
      await agent.untilStatus("every list held again", ({ held }) => held.length === 4);
      await assertServed(agent);
    });
  });

  test("empty lists are held, and believed no more than a list that has the namespaces", async (t) => {
    const { agent, api } = await replaceApi(t, []);
    const status = await agent.untilStatus("the empty lists held", ({ held }) =>
      ["namespaces", "services", "endpointslices-headless"].every((feed) =>
        held.some((list) => list.feed === feed),
      ),
    );
    const [first] = status.held;
    assert.equal(first.policy, "zero-guard");
    assert.match(first.reason, /the list of \S+ is empty, \d+ are served/);
    await assertServed(agent);
    assert.equal((await agent.get("/readyz")).status, 200);
    assert.ok((await agent.get("/status", "text/html")).body.includes("zero-guard"));
    // Nothing that the server says of single objects passes while its list is not believed.
    api.put(clusterIpService("web-0", "10.111.0.1"));
    await assertServed(agent);
  });
});
