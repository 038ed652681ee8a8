import assert from "node:assert/strict";
import { test } from "node:test";
import { bookmark, listOf, serviceObject, sliceObject, status } from "./objects.ts";
import { ReflectorHarness } from "./reflector-harness.ts";

/** A reflector that resumed at 100 and is in step. */
function live(options: { feed?: "services" | "endpointslices-headless" } = {}) {
  const harness = new ReflectorHarness({ ...options, resumeFrom: "100", streamsLists: false }).start();
  const watch = harness.next().open();
  harness.clock.advance(500);
  assert.deepEqual(harness.statuses, ["live"]);
  return { harness, watch };
}

test("a reflector with a resourceVersion asks once for its history, opens one watch from there and makes no list", () => {
  const { harness, watch } = live();
  assert.equal(watch.url.pathname, "/api/v1/services");
  assert.equal(watch.parameter("watch"), "1");
  assert.equal(watch.parameter("resourceVersion"), "100");
  assert.equal(watch.parameter("allowWatchBookmarks"), "true");
  assert.equal(watch.parameter("timeoutSeconds"), "450");
  assert.equal(watch.parameter("sendInitialEvents"), undefined);
  assert.deepEqual(harness.budget.taken, { request: 2, list: 0 });
});

test("a resumed watch counts as live only after what was missed had time to come", () => {
  const harness = new ReflectorHarness({ resumeFrom: "100" }).start();
  const watch = harness.next().open();
  watch.event("MODIFIED", serviceObject("web", 101));
  assert.deepEqual(harness.statuses, []);
  harness.clock.advance(499);
  assert.deepEqual(harness.statuses, []);
  harness.clock.advance(1);
  assert.deepEqual(harness.statuses, ["live"]);
});

test("ADDED, MODIFIED and DELETED are applied in any order, repeated, and for unknown objects", () => {
  const { harness, watch } = live();
  watch.event("MODIFIED", serviceObject("web", 101));
  watch.event("ADDED", serviceObject("api", 102));
  watch.event("ADDED", serviceObject("api", 102));
  watch.event("DELETED", serviceObject("never-seen", 103));
  assert.deepEqual(harness.keys, ["shop/api", "shop/web"]);
  watch.event("DELETED", serviceObject("web", 104));
  watch.event("DELETED", serviceObject("web", 104));
  assert.deepEqual(harness.keys, ["shop/api"]);
  assert.equal(harness.sink.resourceVersions.get("services"), "104");
  assert.equal(watch.isAborted, false);
});

test("a bookmark moves the resourceVersion from which the next watch resumes", () => {
  const { harness, watch } = live();
  watch.event("BOOKMARK", bookmark("Service", 250));
  assert.equal(harness.sink.resourceVersions.get("services"), "250");
  harness.clock.advance(60_000);
  watch.end();
  assert.equal(harness.next(1000).parameter("resourceVersion"), "250");
});

test("a watch that the server ends is opened again within a second and is no failure", () => {
  const { harness, watch } = live();
  for (let round = 0, open = watch; round < 20; round++) {
    harness.clock.advance(70_000);
    open.event("BOOKMARK", bookmark("Service", 200 + round));
    open.end();
    open = harness.next(1000).open();
  }
  assert.deepEqual(harness.statuses, ["live"]);
  assert.deepEqual(harness.budget.taken, { request: 22, list: 0 });
});

test("a watch that ends as soon as it is open is retried with back-off, not in a loop", () => {
  const harness = new ReflectorHarness({ resumeFrom: "100" });
  harness.transport.onRequest = (request) => {
    if (request.isWatch) request.open().end();
    else request.answer({});
  };
  harness.start();
  harness.clock.advance(60_000);
  assert.ok(harness.budget.taken.request <= 11, `${harness.budget.taken.request} watches in a minute`);
  assert.deepEqual(harness.statuses, ["down: the watch ended after 0 ms"]);
});

test("a watch without a byte for 90 s is dropped and resumed from the last resourceVersion", () => {
  const { harness, watch } = live();
  harness.clock.advance(60_000);
  watch.event("BOOKMARK", bookmark("Service", 180));
  harness.clock.advance(89_999);
  assert.equal(watch.isAborted, false);
  harness.clock.advance(1);
  assert.equal(watch.isAborted, true);
  assert.equal(harness.statuses.at(-1), "down: nothing came for 90 s");
  const again = harness.next(1000);
  assert.equal(again.parameter("resourceVersion"), "180");
  again.open();
  harness.clock.advance(500);
  assert.equal(harness.statuses.at(-1), "live");
  assert.equal(harness.budget.taken.list, 0);
});

test("a second silent watch in a row makes a list as new as etcd: ours may be ahead of a restored cluster", () => {
  const { harness, watch } = live();
  harness.clock.advance(90_000);
  assert.equal(watch.isAborted, true);
  harness.next(1000).open();
  harness.clock.advance(90_000);
  harness.identify(1000);
  const list = harness.next();
  assert.equal(list.isWatch, false);
  assert.equal(list.parameter("resourceVersion"), undefined);
  list.answer(listOf("Service", [serviceObject("web", 7)], 9));
  assert.equal(harness.next().parameter("resourceVersion"), "9");
  assert.equal(harness.sink.resourceVersions.get("services"), "9");
});

test("410 as HTTP status and 410 as event both lead to one list, not older than what we have", () => {
  for (const answer of ["status", "event"]) {
    const harness = new ReflectorHarness({ resumeFrom: "100", streamsLists: false }).start();
    const watch = harness.next();
    if (answer === "status") watch.refuse(410, "Expired", "too old resource version: 100 (300)");
    else watch.open().event("ERROR", status(410, "Expired", "too old resource version: 100 (300)"));
    assert.equal(harness.statuses.at(-1), "down: HTTP 410 Expired: too old resource version: 100 (300)");
    const list = harness.next(6000);
    assert.equal(list.parameter("resourceVersion"), "100");
    assert.equal(list.parameter("resourceVersionMatch"), "NotOlderThan");
    assert.equal(list.parameter("limit"), undefined, "a limit would be answered from etcd");
    list.answer(listOf("Service", [serviceObject("web", 250)], 300));
    harness.next().open();
    assert.equal(harness.statuses.at(-1), "live");
    assert.deepEqual(harness.keys, ["shop/web"]);
    assert.equal(harness.budget.taken.list, 1);
  }
});

test("a resourceVersion that is too large leads to a list as new as etcd", () => {
  const message = "Too large resource version: 100, current: 5";
  const answers = {
    "504 with a message": (harness: ReflectorHarness) => harness.next().refuse(504, "Timeout", message),
    "event with a cause": (harness: ReflectorHarness) =>
      harness
        .next()
        .open()
        .event("ERROR", {
          ...status(504, "Timeout", "try again"),
          details: { causes: [{ reason: "ResourceVersionTooLarge" }], retryAfterSeconds: 1 },
        }),
  };
  for (const [name, answer] of Object.entries(answers)) {
    const harness = new ReflectorHarness({ resumeFrom: "100", streamsLists: false }).start();
    answer(harness);
    const list = harness.next(8000);
    assert.equal(list.isWatch, false, name);
    assert.equal(list.parameter("resourceVersion"), undefined, name);
    assert.equal(list.parameter("resourceVersionMatch"), undefined, name);
    list.answer(listOf("Service", [], 5));
    assert.equal(harness.next().parameter("resourceVersion"), "5", name);
  }
});

test("a line that is not JSON drops the watch and resumes where it was, so that no event is lost", () => {
  const lines = {
    "not JSON": "<html>gateway</html>\n",
    "cut within a character": Uint8Array.from([0x7b, 0x22, 0xc3, 0x0a]),
    "no object": '{"type":"ADDED"}\n',
    "unknown type": `${JSON.stringify({ type: "PATCHED", object: serviceObject("web", 102) })}\n`,
    "another kind": `${JSON.stringify({ type: "ADDED", object: sliceObject("web", 102) })}\n`,
    "no resourceVersion": `${JSON.stringify({ type: "ADDED", object: { kind: "Service", metadata: {} } })}\n`,
    "an older resourceVersion": `${JSON.stringify({ type: "MODIFIED", object: serviceObject("web", 99) })}\n`,
  };
  for (const [name, line] of Object.entries(lines)) {
    const { harness, watch } = live();
    watch.event("ADDED", serviceObject("web", 101, "10.96.0.1"));
    watch.send(line);
    assert.equal(watch.isAborted, true, name);
    assert.match(String(harness.statuses.at(-1)), /^down: /, name);
    const again = harness.next(1000);
    assert.equal(again.parameter("resourceVersion"), "101", name);
    again.open().event("MODIFIED", serviceObject("web", 102, "10.96.0.2"));
    assert.deepEqual(harness.sink.clusterIPs("shop/web"), ["10.96.0.2"]);
    assert.equal(harness.budget.taken.list, 0, name);
  }
});

test("a stream that ends within a line is a broken one, not the end of a watch", () => {
  const { harness, watch } = live();
  harness.clock.advance(10_000);
  watch.send('{"type":"ADD').end();
  assert.equal(harness.statuses.at(-1), "down: the stream ended within a line, after 12 bytes of it");
  assert.equal(harness.next(1000).parameter("resourceVersion"), "100");
});

test("a line of more than 8 MiB drops the watch with an error that names the size", () => {
  const { harness, watch } = live();
  const mebibyte = new Uint8Array(1024 * 1024).fill(0x20);
  for (let sent = 0; sent < 8; sent++) watch.send(mebibyte);
  assert.equal(watch.isAborted, false);
  watch.send(mebibyte);
  assert.equal(watch.isAborted, true);
  assert.match(String(harness.statuses.at(-1)), /more than 9437184 bytes came; at most 8388608 are accepted/);
});

test("an object that cannot be used is rejected, what was known of it stays, and the watch goes on", () => {
  const { harness, watch } = live();
  watch.event("ADDED", serviceObject("web", 101));
  const broken = serviceObject("web", 102);
  watch.event("MODIFIED", { ...broken, spec: { ...broken.spec, type: "Teapot" } });
  assert.deepEqual(harness.keys, ["shop/web"]);
  assert.deepEqual(harness.sink.rejections, [
    'shop/web: spec.type is "Teapot"; accepted is ClusterIP, NodePort, LoadBalancer, ExternalName',
  ]);
  watch.event("ADDED", serviceObject("api", 103));
  assert.deepEqual(harness.keys, ["shop/api", "shop/web"]);
});

test("a slice that loses its Service is removed without a rejection", () => {
  const { harness, watch } = live({ feed: "endpointslices-headless" });
  watch.event("ADDED", sliceObject("db-x", 101));
  const orphan = sliceObject("db-x", 102);
  watch.event("MODIFIED", { ...orphan, metadata: { ...orphan.metadata, labels: {} } });
  assert.deepEqual(harness.keys, []);
  assert.deepEqual(harness.sink.rejections, []);
});

test("a part that was left out is reported with its place, and the rest of the object is used", () => {
  const { harness, watch } = live({ feed: "endpointslices-headless" });
  const slice = sliceObject("db-x", 101, ["10.0.0.1", "not-an-address"]);
  watch.event("ADDED", slice);
  assert.deepEqual(harness.keys, ["shop/db-x"]);
  assert.deepEqual(harness.sink.rejections, [
    'shop/db-x endpoints[1].addresses[0]: endpoints[1].addresses[0] is "not-an-address"; accepted is an IPv4 address',
  ]);
});

test("stop() ends the watch and reports nothing more, not even the rest of a chunk", () => {
  const { harness, watch } = live();
  const rest = [101, 102, 103].map((version) =>
    JSON.stringify({ type: "ADDED", object: serviceObject(`s${version}`, version) }),
  );
  harness.sink.onUpsert = () => harness.reflector.stop();
  watch.send(`${rest.join("\n")}\n`);
  assert.deepEqual(harness.keys, ["shop/s101"]);
  assert.equal(watch.isAborted, true);
  assert.equal(harness.clock.pendingTimers, 0);
  harness.reflector.stop();
});
