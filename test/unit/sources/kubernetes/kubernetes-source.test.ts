import assert from "node:assert/strict";
import { test } from "node:test";
import type { Feed } from "../../../../src/model/feed.ts";
import { createKubernetesSource } from "../../../../src/sources/kubernetes/kubernetes-source.ts";
import type { RequestBudget } from "../../../../src/sources/kubernetes/request-budget.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { RecordingLog } from "../../../support/recording-log.ts";
import { type ScriptedRequest, ScriptedTransport } from "../../../support/scripted-transport.ts";
import { bookmark, kubeSystem, kubeSystemList, listOf, status } from "./objects.ts";
import { CountingBudget, isHistoryCheck } from "./reflector-harness.ts";
import { StateSink } from "./state-sink.ts";

const HEADLESS_FEEDS: readonly Feed[] = [
  "namespaces",
  "services",
  "endpointslices-headless",
  "endpointslices-custom",
];
const KINDS: Record<string, string> = {
  "/api/v1/namespaces": "Namespace",
  "/api/v1/services": "Service",
  "/apis/discovery.k8s.io/v1/endpointslices": "EndpointSlice",
};

function source(
  options: {
    resume?: boolean;
    clusterUid?: string;
    endpoints?: "headless" | "all";
    budget?: RequestBudget;
  } = {},
) {
  const clock = new FakeClock();
  const transport = new ScriptedTransport((run) => void clock.setTimer(0, run));
  const sink = new StateSink();
  const budget = options.budget ?? new CountingBudget();
  // A sequence, so that feeds do not wait for exactly the same times.
  let seed = 7;
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const resume = new Map(options.resume === true ? HEADLESS_FEEDS.map((feed) => [feed, "100"] as const) : []);
  const created = createKubernetesSource(
    { endpoints: options.endpoints ?? "headless", resume, clusterUid: options.clusterUid ?? "" },
    { transport, budget, clock, random, log: new RecordingLog() },
    sink,
  );
  const phases = (): string[] =>
    [...new Map(sink.statuses.map((line) => [line.split(" ")[0], line])).values()].sort();
  return { clock, transport, sink, budget: budget as CountingBudget, source: created, phases };
}

/** A server without streamed lists and without objects. */
function emptyCluster(request: ScriptedRequest): void {
  const kind = KINDS[request.url.pathname];
  if (isHistoryCheck(request)) request.answer(kubeSystem());
  else if (request.parameter("fieldSelector") !== undefined) request.answer(kubeSystemList());
  else if (request.parameter("sendInitialEvents") !== undefined)
    request.refuse(422, "Invalid", "sendInitialEvents: Forbidden");
  else if (request.isWatch) request.open();
  else request.answer(listOf(kind, [], 500));
}

/** A server with streamed lists. */
function streamingCluster(request: ScriptedRequest): void {
  if (request.parameter("sendInitialEvents") === undefined) emptyCluster(request);
  else request.open().event("BOOKMARK", bookmark(KINDS[request.url.pathname], 500, true));
}

const ALL_LIVE = HEADLESS_FEEDS.map((feed) => `${feed} live`).sort();

test("a restart with a snapshot costs one small GET and one watch for each feed, and no list", () => {
  const { source: running, transport, clock, budget, phases } = source({ resume: true });
  transport.onRequest = emptyCluster;
  running.start();
  clock.advance(60_000);
  assert.deepEqual(phases(), ALL_LIVE);
  assert.deepEqual(budget.taken, { request: 5, list: 0 });
  assert.equal(transport.requests.filter((request) => request.isWatch).length, 4);
  assert.equal(transport.requests[0].path, "/api/v1/namespaces/kube-system?resourceVersion=100");
});

test("a first start costs one question for the cluster and one streamed list for each feed", () => {
  const { source: running, transport, clock, budget, phases, sink } = source();
  transport.onRequest = streamingCluster;
  running.start();
  clock.advance(10_000);
  assert.deepEqual(phases(), ALL_LIVE);
  assert.deepEqual(budget.taken, { request: 1, list: 4 });
  assert.equal(new Set(sink.origins.map((origin) => origin.clusterUid)).size, 1);
});

test("only one feed finds out that the server does not stream lists", () => {
  const { source: running, transport, clock, budget, phases } = source();
  transport.onRequest = emptyCluster;
  running.start();
  clock.advance(10_000);
  assert.deepEqual(phases(), ALL_LIVE);
  assert.deepEqual(budget.taken, { request: 5, list: 5 });
});

test("endpoints: all is one feed of slices, without a selector", () => {
  const { source: running, transport, clock, phases } = source({ endpoints: "all" });
  transport.onRequest = streamingCluster;
  running.start();
  clock.advance(10_000);
  assert.deepEqual(phases(), ["endpointslices live", "namespaces live", "services live"]);
  assert.ok(transport.requests.every((request) => request.parameter("labelSelector") === undefined));
});

test("an outage costs one attempt for each pause, not one for each feed, and its end lets all through at once", () => {
  const { source: running, transport, clock, budget, phases } = source({ resume: true });
  transport.onRequest = emptyCluster;
  running.start();
  clock.advance(40_000);
  const before = budget.taken.request;
  transport.onRequest = (request) => request.fail();
  for (const watch of transport.requests.slice()) watch.fail("read ECONNRESET");
  clock.advance(600_000);
  const attempts = budget.taken.request - before;
  assert.ok(attempts >= 30 && attempts <= 100, `${attempts} attempts in ten minutes`);
  assert.ok(
    phases().every((line) => line.endsWith("down: connect ECONNREFUSED 10.96.0.1:443")),
    phases().join(),
  );

  transport.onRequest = emptyCluster;
  clock.advance(21_000);
  assert.deepEqual(phases(), ALL_LIVE);
  assert.equal(budget.taken.request, before + attempts + 5, "the attempt that worked, and four watches");
  assert.equal(budget.taken.list, 0, "after an outage every watch resumes where it was");
});

test("a server that answers 503 costs one attempt for each pause too", () => {
  const { source: running, transport, clock, budget } = source({ resume: true });
  transport.onRequest = (request) => request.refuse(503, "ServiceUnavailable");
  running.start();
  clock.advance(600_000);
  // Four at the start, before the first answer.
  assert.ok(budget.taken.request <= 104, `${budget.taken.request} attempts in ten minutes`);
});

test("a start without a snapshot and without a server makes no list before the server answers something", () => {
  const { source: running, transport, clock, budget, phases } = source();
  transport.onRequest = (request) => request.refuse(500, "InternalError");
  running.start();
  clock.advance(600_000);
  assert.equal(budget.taken.list, 0);
  transport.onRequest = streamingCluster;
  clock.advance(30_000);
  assert.deepEqual(phases(), ALL_LIVE);
});

test("one feed that is forbidden does not keep the others from being in step", () => {
  const { source: running, transport, clock, phases } = source();
  transport.onRequest = (request) => {
    if (request.url.pathname === "/api/v1/services") request.refuse(403, "Forbidden");
    else streamingCluster(request);
  };
  running.start();
  clock.advance(3_600_000);
  assert.deepEqual(
    phases().filter((line) => !line.endsWith(" live")),
    ["services down: HTTP 403 Forbidden"],
  );
});

test("all watches that go silent together are replaced, one attempt first", () => {
  const { source: running, transport, clock, phases } = source({ resume: true });
  transport.onRequest = emptyCluster;
  running.start();
  clock.advance(89_000);
  const before = transport.requests.length;
  transport.onRequest = (request) => request.fail("connect ETIMEDOUT");
  clock.advance(2000);
  assert.ok(transport.requests.length - before <= 2, `${transport.requests.length - before} attempts`);
  transport.onRequest = emptyCluster;
  clock.advance(30_000);
  assert.deepEqual(phases(), ALL_LIVE);
});

test("whatever the server does, requests stay within the budget", () => {
  const clockBudget = { burst: 20, refillMs: 60_000 };
  const behaviours: ((request: ScriptedRequest) => void)[] = [
    (request) => request.fail(),
    (request) => request.refuse(410, "Expired"),
    (request) => request.refuse(504, "Timeout", "Too large resource version: 9, current: 1"),
    (request) => request.answer("<html></html>"),
    (request) => request.open().end(),
    (request) => request.open().event("ERROR", status(410, "Expired", "")),
    (request) =>
      request.isWatch ? request.open().event("ERROR", status(410, "Expired", "")) : emptyCluster(request),
    (request) =>
      request.answer({
        kind: "ServiceList",
        metadata: { resourceVersion: "5", continue: `${Math.trunc(request.path.length)}` },
        items: [],
      }),
  ];
  for (const behaviour of behaviours) {
    let tokens = clockBudget.burst;
    let atMs = 0;
    const budget: RequestBudget = {
      take: () => {
        tokens = Math.min(clockBudget.burst, tokens + (running.clock.nowMs() - atMs) / clockBudget.refillMs);
        atMs = running.clock.nowMs();
        if (tokens < 1) return Math.ceil((1 - tokens) * clockBudget.refillMs);
        tokens -= 1;
        return 0;
      },
    };
    const running = source({ budget, resume: true });
    running.transport.onRequest = behaviour;
    running.source.start();
    running.clock.advance(3_600_000);
    assert.ok(
      running.transport.requests.length <= 20 + 60,
      `${String(behaviour)}: ${running.transport.requests.length}`,
    );
    running.source.stop();
    assert.equal(running.clock.pendingTimers, 0, String(behaviour));
  }
});

test("every request is a GET of one of the three resources, and stop() leaves nothing behind", () => {
  const { source: running, transport, clock } = source();
  transport.onRequest = streamingCluster;
  running.start();
  clock.advance(7_200_000);
  for (const request of transport.requests) {
    assert.ok(request.url.pathname in KINDS || isHistoryCheck(request), request.path);
  }
  running.stop();
  running.stop();
  assert.ok(transport.requests.every((request) => request.isAborted));
  assert.equal(clock.pendingTimers, 0);
});

test("after etcd was restored every feed lists anew, also one that comes when the question is answered", () => {
  const { source: running, transport, clock, phases, sink } = source({ resume: true });
  transport.onRequest = (request) => {
    if (isService(request)) request.refuse(403, "Forbidden", "", { "retry-after": "60" });
    else emptyCluster(request);
  };
  running.start();
  clock.advance(1000);

  // As an API server does it: only the question is refused, and a watch from the future is silent.
  transport.onRequest = (request) => {
    if (isHistoryCheck(request) && request.parameter("resourceVersion") === "100") {
      request.refuse(504, "Timeout", "Too large resource version: 100, current: 50");
    } else emptyCluster(request);
  };
  for (const watch of transport.requests.slice()) watch.fail("read ECONNRESET");
  while (sink.resourceVersions.get("namespaces") !== "500") clock.advance(100);
  assert.equal(
    transport.requests.filter(isService).length,
    1,
    "the Services are still waiting for their turn",
  );
  clock.advance(600_000);
  assert.deepEqual(phases(), ALL_LIVE);
  assert.equal(sink.resourceVersions.get("services"), "500");
  const resumed = transport.requests.filter(isService).slice(1);
  assert.ok(
    resumed.every((request) => request.parameter("resourceVersion") !== "100"),
    "from the future",
  );
});

function isService(request: ScriptedRequest): boolean {
  return request.url.pathname === "/api/v1/services";
}
