import assert from "node:assert/strict";
import { test } from "node:test";
import { createGuard } from "../../../src/guard/guard.ts";
import type { Guard } from "../../../src/guard/guard.ts";
import { WrongCluster } from "../../../src/guard/wrong-cluster.ts";
import { ZeroGuard } from "../../../src/guard/zero-guard.ts";
import type { Feed } from "../../../src/model/feed.ts";
import { kindOfFeed } from "../../../src/model/feed.ts";
import { RecordBatch } from "../../../src/model/record-batch.ts";
import type { ModelRecord } from "../../../src/model/records.ts";
import type { Verdict } from "../../../src/sources/source.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { RecordingLog } from "../../support/recording-log.ts";
import { RecordingSink } from "../../support/recording-sink.ts";

interface Bench {
  readonly guard: Guard;
  readonly clock: FakeClock;
  readonly log: RecordingLog;
  readonly sink: RecordingSink;
  readonly cluster: WrongCluster;
  /** Hands the guard a list of so many objects. */
  readonly list: (feed: Feed, count: number, clusterUid?: string) => Verdict;
}

function createBench(knownUid = "", held: Partial<Record<Feed, number>> = {}): Bench {
  const clock = new FakeClock();
  const log = new RecordingLog();
  const sink = new RecordingSink();
  const cluster = new WrongCluster(knownUid);
  const policies = [cluster, new ZeroGuard()];
  const guard = createGuard({ policies, countOfFeed: (feed) => held[feed] ?? 0, clock, log }, sink);
  const list = (feed: Feed, count: number, clusterUid = "uid-1"): Verdict => {
    const batch = new RecordBatch();
    for (let index = 0; index < count; index++) batch.append(recordOf(feed, `object-${index}`));
    return guard.replace(feed, batch, { resourceVersion: "5", clusterUid });
  };
  return { guard, clock, log, sink, cluster, list };
}

function recordOf(feed: Feed, name: string): ModelRecord {
  const kind = kindOfFeed(feed);
  if (kind === "Namespace") return { kind, name };
  if (kind === "Service") {
    return {
      kind,
      namespace: "default",
      name,
      type: "Headless",
      clusterIPs: [],
      externalName: "",
      ports: [],
    };
  }
  return {
    kind,
    namespace: "default",
    name,
    serviceName: name,
    addressType: "IPv4",
    ports: [],
    endpoints: [],
  };
}

test("a list with objects passes, with everything around it", () => {
  const { guard, sink, list } = createBench();
  assert.deepEqual(list("services", 2), { outcome: "accepted" });
  guard.upsert("services", recordOf("services", "web"), "6");
  guard.remove("services", "default", "web", "7");
  guard.bookmark("services", "8");
  guard.status("services", { phase: "live" });
  guard.rejected("services", "default/bad", "no name");
  assert.deepEqual(sink.calls, [
    "replace services 2",
    "upsert services web 6",
    "remove services default/web 7",
    "bookmark services 8",
    "status services live",
    "rejected services default/bad: no name",
  ]);
  assert.deepEqual(guard.holds(), []);
});

for (const feed of ["services", "namespaces"] as const) {
  for (const heldObjects of [0, 3]) {
    test(`an empty list of ${feed} is never believed, with ${heldObjects} served`, () => {
      const { guard, clock, sink, list } = createBench("", { [feed]: heldObjects });
      for (let attempt = 0; attempt < 10; attempt++) {
        assert.equal(list(feed, 0).outcome, "held");
        clock.advance(5 * 60_000);
      }
      assert.deepEqual(sink.calls, []);
      const [hold] = guard.holds();
      assert.equal(hold.policy, "zero-guard");
      assert.equal(hold.heldObjects, heldObjects);
      assert.equal(hold.lists, 10);
    });
  }
}

test("an empty list of slices is believed the second time, a minute later", () => {
  const { clock, guard, sink, list } = createBench("", { "endpointslices-headless": 3 });
  const first = list("endpointslices-headless", 0);
  assert.deepEqual(first, {
    outcome: "held",
    reason:
      "held by zero-guard: the list of endpointslices-headless is empty, 3 are served: waiting for a second empty list after 60 s",
    retryAfterMs: 60_000,
  });
  clock.advance(59_999);
  assert.equal(list("endpointslices-headless", 0).outcome, "held");
  clock.advance(1);
  assert.equal(list("endpointslices-headless", 0).outcome, "accepted");
  assert.deepEqual(sink.calls, ["replace endpointslices-headless 0"]);
  assert.deepEqual(guard.holds(), []);
});

test("a list with objects between two empty ones starts the waiting anew", () => {
  const { clock, list } = createBench("", { endpointslices: 3 });
  list("endpointslices", 0);
  clock.advance(60_000);
  assert.equal(list("endpointslices", 2).outcome, "accepted");
  assert.equal(list("endpointslices", 0).outcome, "held");
});

test("a first empty list of slices passes: there may be none", () => {
  const { list } = createBench();
  assert.equal(list("endpointslices-custom", 0).outcome, "accepted");
});

test("a list whose only objects were not understood is not empty", () => {
  const { guard } = createBench("", { services: 1 });
  const batch = new RecordBatch();
  batch.keep("default", "web");
  assert.equal(
    guard.replace("services", batch, { resourceVersion: "5", clusterUid: "" }).outcome,
    "accepted",
  );
});

test("the first accepted list tells which cluster is ours", () => {
  const { cluster, list } = createBench();
  list("services", 0, "uid-9");
  assert.equal(cluster.clusterUid, "", "a held list tells nothing");
  list("services", 2, "uid-1");
  assert.equal(cluster.clusterUid, "uid-1");
  assert.equal(list("services", 2, "uid-2").outcome, "held");
});

test("lists of another cluster are held until ours is back, and so is one that does not say", () => {
  const { guard, sink, log, list } = createBench("uid-1", { services: 3 });
  assert.equal(list("services", 5, "").outcome, "accepted");
  const verdict = list("services", 5, "uid-2");
  assert.match((verdict as { reason: string }).reason, /kube-system has UID uid-2, ours has uid-1/);
  assert.equal(list("namespaces", 5, "").outcome, "held");
  assert.deepEqual(
    guard.holds().map(({ policy, feed }) => `${policy} ${feed}`),
    ["wrong-cluster services", "wrong-cluster namespaces"],
  );
  assert.equal(list("services", 5, "uid-1").outcome, "accepted");
  assert.equal(list("namespaces", 5, "").outcome, "accepted");
  assert.deepEqual(sink.calls, ["replace services 5", "replace services 5", "replace namespaces 5"]);
  assert.deepEqual(guard.holds(), []);
  assert.equal(log.messages("warn").length, 2);
});

test("retries are spaced from one minute to five", () => {
  const { list } = createBench("uid-1");
  const delays = Array.from({ length: 5 }, () => list("services", 5, "uid-2")).map(
    (verdict) => (verdict as { retryAfterMs: number }).retryAfterMs,
  );
  assert.deepEqual(delays, [60_000, 120_000, 240_000, 300_000, 300_000]);
});

test("nothing of a held feed gets through, and it is not live; other feeds go on", () => {
  const { guard, sink, list } = createBench("", { services: 3 });
  list("services", 0);
  guard.upsert("services", recordOf("services", "web"), "6");
  guard.remove("services", "default", "web", "7");
  guard.bookmark("services", "8");
  guard.status("services", { phase: "live" });
  guard.upsert("namespaces", recordOf("namespaces", "prod"), "9");
  assert.deepEqual(sink.calls, [
    "status services down: held by zero-guard: the list of services is empty, 3 are served: every cluster has default/kubernetes",
    "upsert namespaces prod 9",
  ]);
  assert.equal(guard.counters().droppedChanges, 2);
});

test("a hold is loud once, and counted each time", () => {
  const { guard, log, clock, list } = createBench("uid-1", { services: 3 });
  for (let attempt = 0; attempt < 5; attempt++) list("services", 0);
  assert.deepEqual(log.messages("error"), ["guard holds a list; the previous state stays served"]);
  clock.advance(90_000);
  list("services", 5, "uid-2");
  assert.equal(log.messages("error").length, 2, "another policy is news");
  assert.deepEqual(
    [...guard.counters().heldLists],
    [
      ["wrong-cluster", 1],
      ["zero-guard", 5],
    ],
  );
  list("services", 5, "uid-1");
  assert.deepEqual(log.lines.at(-1)?.fields, {
    policy: "wrong-cluster",
    feed: "services",
    objects: 5,
    seconds: 90,
  });
});

test("without policies, as for manifests, an empty list passes", () => {
  const sink = new RecordingSink();
  const guard = createGuard(
    { policies: [], countOfFeed: () => 5, clock: new FakeClock(), log: new RecordingLog() },
    sink,
  );
  const verdict = guard.replace("services", new RecordBatch(), { resourceVersion: "", clusterUid: "" });
  assert.equal(verdict.outcome, "accepted");
});
