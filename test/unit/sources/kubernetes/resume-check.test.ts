import assert from "node:assert/strict";
import { test } from "node:test";
import { KUBE_SYSTEM_UID, kubeSystem, listOf, namespaceObject, serviceObject } from "./objects.ts";
import { isHistoryCheck, ReflectorHarness } from "./reflector-harness.ts";

const TOO_LARGE = "Too large resource version: 100, current: 7";

function resuming(options: { clusterUid?: string; feed?: "services" | "namespaces" } = {}) {
  return new ReflectorHarness({
    ...options,
    resumeFrom: "100",
    streamsLists: false,
    confirmsHistory: false,
  }).start();
}

test("before it resumes, a reflector asks whether its history is still the server's", () => {
  const harness = resuming({ clusterUid: KUBE_SYSTEM_UID });
  const check = harness.next();
  assert.equal(check.path, "/api/v1/namespaces/kube-system");
  assert.equal(check.accept, "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json");
  assert.deepEqual(harness.transport.waiting, []);
  check.answer(kubeSystem());
  assert.equal(harness.next().parameter("resourceVersion"), "100");
});

test("the question carries the resourceVersion of the Namespaces, as it moves", () => {
  const harness = resuming({ feed: "namespaces" });
  const check = harness.next();
  assert.equal(check.parameter("resourceVersion"), "100");
  check.answer(kubeSystem());
  const watch = harness.next().open().event("ADDED", namespaceObject("dev", 130));
  harness.clock.advance(60_000);
  watch.fail("read ECONNRESET");
  assert.equal(harness.next(2000).parameter("resourceVersion"), "130");
});

test("an etcd that was restored to an older state is noticed before the feed counts as live, and listed as new as etcd", () => {
  const harness = resuming();
  harness.next().refuse(504, "Timeout", TOO_LARGE);
  assert.deepEqual(harness.statuses, [`down: HTTP 504 Timeout: ${TOO_LARGE}`]);
  harness.clock.advance(4999);
  assert.deepEqual(harness.transport.waiting, []);
  harness.next(1).refuse(504, "Timeout", TOO_LARGE);
  harness.identify(5000);
  const list = harness.next();
  assert.equal(list.isWatch, false);
  assert.equal(list.parameter("resourceVersion"), undefined);
  list.answer(listOf("Service", [serviceObject("web", 5)], 7));
  assert.equal(harness.next().parameter("resourceVersion"), "7");
  assert.ok(!harness.statuses.slice(0, -1).includes("live"));
});

test("an API server that is only behind another one is given five seconds", () => {
  const harness = resuming();
  harness.next().refuse(504, "Timeout", TOO_LARGE);
  harness.next(5000).answer(kubeSystem());
  assert.equal(harness.next().parameter("resourceVersion"), "100");
  assert.equal(harness.budget.taken.list, 0);
});

test("another cluster's changes are never applied to ours: the guard gets its list to judge", () => {
  const harness = resuming({ clusterUid: "uid-of-the-snapshot" });
  harness.sink.verdicts.push({ outcome: "held", reason: "wrong cluster", retryAfterMs: 60_000 });
  harness.next().answer(kubeSystem("uid-of-another"));
  assert.deepEqual(harness.statuses, [
    "down: another cluster answers: its kube-system has UID uid-of-another",
  ]);
  const list = harness.next(5000);
  assert.equal(list.isWatch, false);
  list.answer(listOf("Service", [serviceObject("web", 5)], 200));
  assert.deepEqual(harness.sink.origins, [{ resourceVersion: "200", clusterUid: "uid-of-another" }]);
  assert.equal(harness.statuses.at(-1), "down: the list is held back: wrong cluster");
  assert.equal(harness.next(70_000).isWatch, false, "it never watches that cluster");
});

test("a server that cannot tell is followed: the watch itself has to show", () => {
  const answers = [
    (harness: ReflectorHarness) => {
      harness.next().refuse(403, "Forbidden");
      harness.next().refuse(403, "Forbidden");
    },
    (harness: ReflectorHarness) => harness.next().refuse(404, "NotFound"),
    (harness: ReflectorHarness) => harness.next().refuse(405, "MethodNotAllowed"),
    (harness: ReflectorHarness) => harness.next().answer("<html></html>"),
    (harness: ReflectorHarness) => harness.next().answer(listOf("Namespace", [], 5)),
    (harness: ReflectorHarness) => {
      for (let times = 0; times < 3; times++) harness.next(10_000).refuse(500, "InternalError");
    },
  ];
  for (const answer of answers) {
    const harness = resuming({ clusterUid: KUBE_SYSTEM_UID });
    answer(harness);
    assert.equal(harness.next(10_000).parameter("watch"), "1");
    assert.equal(harness.budget.taken.list, 0);
  }
});

test("with no right to get, the question is a list of one, and stays one", () => {
  const harness = resuming({ clusterUid: KUBE_SYSTEM_UID, feed: "namespaces" });
  harness.next().refuse(403, "Forbidden");
  const list = harness.next();
  assert.equal(list.isWatch, false);
  assert.equal(list.parameter("fieldSelector"), "metadata.name=kube-system");
  assert.equal(list.parameter("limit"), "1");
  assert.equal(list.parameter("resourceVersion"), "100");
  assert.equal(list.parameter("resourceVersionMatch"), "NotOlderThan");
  list.answer(listOf("Namespace", [kubeSystem()], 120));
  const watch = harness.next().open();
  assert.equal(watch.parameter("resourceVersion"), "100");
  assert.equal(harness.budget.taken.list, 0);
  harness.clock.advance(60_000);
  watch.fail("read ECONNRESET");
  assert.equal(harness.next(2000).parameter("fieldSelector"), "metadata.name=kube-system");
});

test("with no right to get, a restored etcd and another cluster are noticed all the same", () => {
  const restored = resuming();
  restored.next().refuse(403, "Forbidden");
  restored.next().refuse(504, "Timeout", TOO_LARGE);
  restored.next(5000).refuse(504, "Timeout", TOO_LARGE);
  assert.equal(restored.statuses.at(-1), `down: HTTP 504 Timeout: ${TOO_LARGE}`);
  const other = resuming({ clusterUid: "uid-of-the-snapshot" });
  other.next().refuse(403, "Forbidden");
  other.next().answer(listOf("Namespace", [kubeSystem("uid-of-another")], 120));
  assert.deepEqual(other.statuses, ["down: another cluster answers: its kube-system has UID uid-of-another"]);
});

test("the question is asked again after the server was lost, and not after a watch that ended", () => {
  const harness = resuming();
  harness.next().answer(kubeSystem());
  const first = harness.next().open();
  harness.clock.advance(10_000);
  first.end();
  const second = harness.next(1000);
  assert.equal(second.isWatch, true);
  second.open().send("not JSON\n");
  const third = harness.next(2000);
  assert.equal(third.isWatch, true);
  third.open();
  harness.clock.advance(10_000);
  third.fail("read ECONNRESET");
  assert.ok(isHistoryCheck(harness.next(2000)));
});
