import assert from "node:assert/strict";
import { test } from "node:test";
import { listOf, serviceObject, status } from "./objects.ts";
import { isHistoryCheck, ReflectorHarness } from "./reflector-harness.ts";

/** Instants, in ms, at which requests were made within `ms`, all of them failing as `answer` says. */
function attempts(
  harness: ReflectorHarness,
  ms: number,
  answer: "refused" | { code: number; headers?: Record<string, string> },
) {
  const times: number[] = [];
  harness.transport.onRequest = (request) => {
    times.push(harness.clock.nowMs());
    if (answer === "refused") request.fail();
    else request.refuse(answer.code, "", "", answer.headers);
  };
  harness.start();
  harness.clock.advance(ms);
  return times;
}

test("a server that refuses connections is tried again with growing pauses of at most 20 s, for ever", () => {
  const harness = new ReflectorHarness({ resumeFrom: "100" });
  const times = attempts(harness, 3_600_000, "refused");
  assert.deepEqual(times.slice(0, 7), [0, 500, 1500, 3500, 7500, 15_500, 25_500]);
  assert.ok(times.every((time, index) => index === 0 || time - times[index - 1] <= 20_000));
  assert.equal(times.length, 364);
  assert.deepEqual(harness.statuses, ["down: connect ECONNREFUSED 10.96.0.1:443"]);
  assert.deepEqual(
    harness.log.messages("warn"),
    ["feed is down"],
    "one message for an outage, not one for each attempt",
  );
});

test("a server that comes back is noticed within 30 s, after an outage of any length", () => {
  const harness = new ReflectorHarness({ resumeFrom: "100" });
  attempts(harness, 3_600_000, "refused");
  harness.transport.onRequest = (request) => {
    if (request.isWatch) request.open();
    else request.answer({});
  };
  harness.clock.advance(30_000);
  assert.equal(harness.statuses.at(-1), "live");
});

test("Retry-After is a floor under the pause, in seconds and as a date", () => {
  const harness = new ReflectorHarness({ resumeFrom: "100" });
  const times = attempts(harness, 60_000, { code: 429, headers: { "retry-after": "7" } });
  assert.ok(times.length > 3);
  for (let index = 1; index < times.length; index++) assert.ok(times[index] - times[index - 1] >= 7000);

  const dated = new ReflectorHarness({ resumeFrom: "100" });
  const date = new Date(dated.clock.wallMs() + 40_000).toUTCString();
  const [, second] = attempts(dated, 60_000, { code: 503, headers: { "retry-after": date } });
  assert.ok(second >= 39_000 && second < 42_000, String(second));
});

test("a Retry-After of years does not stop the agent for good", () => {
  const harness = new ReflectorHarness({ resumeFrom: "100" });
  const times = attempts(harness, 3_600_000, { code: 503, headers: { "retry-after": "999999999999" } });
  assert.ok(times.length >= 5, String(times.length));
});

test("401, 403 and 404 keep what is known, name the reason, and are retried slowly", () => {
  for (const code of [403, 404, 401]) {
    const harness = new ReflectorHarness({ streamsLists: false }).start();
    harness.identify();
    harness.next().answer(listOf("Service", [serviceObject("web", 40)], 80));
    harness.next().refuse(code, "Forbidden", 'services is forbidden: User "system:serviceaccount:dns:agent"');
    assert.equal(
      harness.statuses.at(-1),
      `down: HTTP ${code} Forbidden: services is forbidden: User "system:serviceaccount:dns:agent"`,
    );
    const before = harness.transport.requests.length;
    harness.transport.onRequest = (request) => request.refuse(code, "Forbidden");
    harness.clock.advance(3_600_000);
    assert.ok(harness.transport.requests.length - before <= 18, String(harness.transport.requests.length));
    assert.deepEqual(harness.keys, ["shop/web"]);
  }
});

test("an hour of 410 on every watch costs a few lists, not one for each watch", () => {
  const harness = new ReflectorHarness({ resumeFrom: "100", streamsLists: false });
  let version = 1000;
  harness.transport.onRequest = (request) => {
    if (request.isWatch) request.open().event("ERROR", status(410, "Expired", "too old resource version"));
    else if (request.parameter("fieldSelector") !== undefined) request.answer({ items: [] });
    else request.answer(listOf("Service", [serviceObject("web", 40)], version++));
  };
  harness.start();
  harness.clock.advance(3_600_000);
  assert.ok(harness.budget.taken.list <= 20, `${harness.budget.taken.list} lists`);
  assert.deepEqual(harness.keys, ["shop/web"]);
});

test("time in step makes the next failure the first again", () => {
  const harness = new ReflectorHarness({ resumeFrom: "100" });
  attempts(harness, 600_000, "refused");
  harness.transport.onRequest = undefined;
  harness.transport.skip();
  const watch = harness.next(20_000).open();
  harness.clock.advance(31_000);
  watch.fail("read ECONNRESET");
  assert.equal(harness.statuses.at(-1), "down: read ECONNRESET");
  harness.next(1000);
});

test("time in step makes the next failure of one feed alone the first again too", () => {
  const harness = new ReflectorHarness({ resumeFrom: "100" }).start();
  for (let failures = 0; failures < 6; failures++) {
    harness.next(20_000).open().send("not JSON\n");
  }
  const watch = harness.next(20_000).open();
  harness.clock.advance(31_000);
  watch.send("not JSON\n");
  harness.next(1000);
});

test("Retry-After holds for a refusal of one resource as well", () => {
  const harness = new ReflectorHarness({ resumeFrom: "100" });
  // The first two are the question for our history, in both its forms.
  const [, , first, second] = attempts(harness, 300_000, { code: 403, headers: { "retry-after": "120" } });
  assert.ok(second - first >= 120_000, `${first} ${second}`);
});

test("when the budget says wait, the feed says so and goes on when it may", () => {
  const harness = new ReflectorHarness({ resumeFrom: "100" });
  harness.budget.waits.push(15_000);
  harness.start();
  assert.deepEqual(harness.statuses, ["down: the budget of API requests for a request is used up"]);
  harness.clock.advance(14_999);
  assert.deepEqual(harness.transport.waiting, []);
  harness.clock.advance(1);
  harness.next().open();
  harness.clock.advance(500);
  assert.equal(harness.statuses.at(-1), "live");
});

test("the identity of the cluster is asked for again after a connection was lost, and not before", () => {
  const harness = new ReflectorHarness({ streamsLists: false, confirmsHistory: false }).start();
  harness.identify();
  harness.next().answer(listOf("Service", [], 80));
  harness
    .next()
    .open()
    .event("ERROR", status(410, "Expired", "too old"));
  harness.next(10_000).answer(listOf("Service", [], 90));
  const watch = harness.next().open();
  watch.fail("read ECONNRESET");
  assert.ok(isHistoryCheck(harness.next(1000)));
});

test("ERROR events of other kinds drop the watch and resume it", () => {
  const harness = new ReflectorHarness({ resumeFrom: "100" }).start();
  const watch = harness.next().open();
  watch.event("ERROR", status(500, "InternalError", "etcdserver: leader changed"));
  assert.equal(watch.isAborted, true);
  assert.equal(harness.statuses.at(-1), "down: HTTP 500 InternalError: etcdserver: leader changed");
  assert.equal(harness.next(2000).parameter("resourceVersion"), "100");
});
