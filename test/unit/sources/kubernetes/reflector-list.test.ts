import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bookmark,
  KUBE_SYSTEM_UID,
  listOf,
  namespaceObject,
  serviceObject,
  sliceObject,
  status,
} from "./objects.ts";
import { ReflectorHarness } from "./reflector-harness.ts";

test("a first list is streamed: identity, initial events, replace at the bookmark that ends them, and the same stream goes on", () => {
  const harness = new ReflectorHarness().start();
  harness.identify();
  const stream = harness.next();
  assert.equal(stream.parameter("watch"), "1");
  assert.equal(stream.parameter("sendInitialEvents"), "true");
  assert.equal(stream.parameter("resourceVersionMatch"), "NotOlderThan");
  assert.equal(stream.parameter("allowWatchBookmarks"), "true");
  assert.equal(stream.parameter("resourceVersion"), "0");
  assert.deepEqual(harness.statuses, []);
  stream.open();
  assert.deepEqual(harness.statuses, ["listing"]);
  stream.event("ADDED", serviceObject("web", 40)).event("ADDED", serviceObject("api", 70));
  assert.equal(harness.sink.replaces, 0);
  stream.event("BOOKMARK", bookmark("Service", 80, true));
  assert.deepEqual(harness.keys, ["shop/api", "shop/web"]);
  assert.deepEqual(harness.sink.origins, [{ resourceVersion: "80", clusterUid: KUBE_SYSTEM_UID }]);
  assert.deepEqual(harness.statuses, ["listing", "live"]);
  stream.event("DELETED", serviceObject("api", 81));
  assert.deepEqual(harness.keys, ["shop/web"]);
  assert.deepEqual(harness.budget.taken, { request: 1, list: 1 });
  harness.clock.advance(89_000);
  assert.equal(stream.isAborted, false, "the silence of a watch applies after the list");
});

test("changes that are streamed before the end of the list count after it", () => {
  const harness = new ReflectorHarness({ streamsLists: true }).start();
  harness.identify();
  harness
    .next()
    .open()
    .event("ADDED", serviceObject("web", 40))
    .event("ADDED", serviceObject("api", 70))
    .event("DELETED", serviceObject("web", 71))
    .event("MODIFIED", serviceObject("api", 72, "10.96.0.99"))
    .event("ADDED", serviceObject("new", 73))
    .event("DELETED", serviceObject("again", 74))
    .event("ADDED", serviceObject("again", 75))
    .event("BOOKMARK", bookmark("Service", 80, true));
  assert.deepEqual(harness.keys, ["shop/again", "shop/api", "shop/new"]);
  assert.deepEqual(harness.sink.clusterIPs("shop/api"), ["10.96.0.99"]);
});

test("a server that refuses to stream lists is asked for pages, and never again for a stream", () => {
  for (const [code, reason] of [
    [422, "Invalid"],
    [400, "BadRequest"],
  ] as const) {
    const harness = new ReflectorHarness().start();
    harness.identify();
    harness.next().refuse(code, reason, "sendInitialEvents: Forbidden");
    const list = harness.next();
    assert.equal(list.isWatch, false);
    assert.equal(list.parameter("limit"), "500");
    assert.equal(list.parameter("resourceVersion"), "0");
    list.answer(listOf("Service", [serviceObject("web", 40)], 80));
    const watch = harness.next().open();
    assert.deepEqual(harness.statuses, ["listing", "live"]);
    watch.event("ERROR", status(410, "Expired", "too old"));
    assert.equal(harness.next(20_000).isWatch, false);
  }
});

test("a server that sends objects but no end is given up on after 10 s of silence, and asked for pages", () => {
  const harness = new ReflectorHarness().start();
  harness.identify();
  const stream = harness.next().open().event("ADDED", serviceObject("web", 40));
  harness.clock.advance(9_999);
  assert.equal(stream.isAborted, false);
  harness.clock.advance(1);
  assert.equal(stream.isAborted, true);
  assert.equal(harness.sink.replaces, 0);
  const list = harness.next(2000);
  assert.equal(list.isWatch, false);
  assert.equal(list.parameter("limit"), "500");
});

test("a bookmark that does not end the initial events means that the server ignored the question", () => {
  const harness = new ReflectorHarness().start();
  harness.identify();
  const stream = harness.next().open().event("ADDED", serviceObject("web", 40));
  stream.event("BOOKMARK", bookmark("Service", 80));
  assert.equal(stream.isAborted, true);
  assert.equal(harness.sink.replaces, 0);
  harness.clock.advance(15_000);
  assert.equal(harness.next().isWatch, false);
});

test("a streamed list that breaks off is tried again once, then in pages; nothing of it is committed", () => {
  const harness = new ReflectorHarness().start();
  harness.identify();
  harness.next().open().event("ADDED", serviceObject("web", 40)).fail("read ECONNRESET");
  harness.identify(2000);
  harness.next().open().event("ADDED", serviceObject("web", 40)).end();
  assert.equal(harness.sink.replaces, 0);
  const list = harness.next(20_000);
  assert.equal(list.isWatch, false);
});

test("pages are put together and committed as one list, of the version of the first page", () => {
  const harness = new ReflectorHarness({ streamsLists: false }).start();
  harness.identify();
  harness.next().answer(listOf("Service", [serviceObject("a", 10), serviceObject("b", 20)], 80, "token/1 ="));
  const second = harness.next();
  assert.equal(second.parameter("continue"), "token/1 =");
  assert.equal(second.parameter("resourceVersion"), undefined);
  assert.equal(harness.sink.replaces, 0);
  second.answer(listOf("Service", [serviceObject("c", 30)], 85));
  assert.deepEqual(harness.keys, ["shop/a", "shop/b", "shop/c"]);
  assert.equal(harness.next().parameter("resourceVersion"), "80");
  assert.deepEqual(harness.budget.taken, { request: 3, list: 1 });
});

test("a continue token that expired makes the list start again, in one piece", () => {
  const harness = new ReflectorHarness({ streamsLists: false }).start();
  harness.identify();
  harness.next().answer(listOf("Service", [serviceObject("a", 10)], 80, "token"));
  harness.next().refuse(410, "Expired", "The provided continue parameter is too old");
  const again = harness.next(10_000);
  assert.equal(again.parameter("continue"), undefined);
  assert.equal(again.parameter("limit"), undefined);
  again.answer(listOf("Service", [serviceObject("b", 90)], 95));
  assert.deepEqual(harness.keys, ["shop/b"]);
});

test("a list that lies is not committed", () => {
  const page = listOf("Service", [serviceObject("web", 40)], 80);
  const bodies = {
    "an empty body": "",
    "an HTML page": "<html><body>login</body></html>",
    "another kind": { ...page, kind: "PodList" },
    "a Status with 200": status(200, "", ""),
    "no kind": { ...page, kind: undefined },
    "no resourceVersion": { ...page, metadata: {} },
    "items that are no list": { ...page, items: {} },
    "an item that is no object": { ...page, items: [1] },
    "half of it": JSON.stringify(page).slice(0, -20),
    "something after it": `${JSON.stringify(page)}{}`,
    "the same page again": { ...page, metadata: { resourceVersion: "80", continue: "x" } },
  };
  for (const [name, body] of Object.entries(bodies)) {
    const harness = new ReflectorHarness({ streamsLists: false }).start();
    harness.identify();
    harness.next().answer(body);
    if (name === "the same page again") harness.next().answer(body);
    assert.equal(harness.sink.replaces, 0, name);
    assert.match(String(harness.statuses.at(-1)), /^down: /, name);
    harness.clock.advance(15_000);
    harness.next().answer(page);
    assert.deepEqual(harness.keys, ["shop/web"], name);
  }
});

test("items that are null or absent are an empty list; the sink judges it", () => {
  for (const items of [null, undefined, []]) {
    const harness = new ReflectorHarness({ streamsLists: false }).start();
    harness.identify();
    harness.next().answer({ ...listOf("Service", [], 80), items });
    assert.equal(harness.sink.replaces, 1);
    assert.equal(harness.next().parameter("resourceVersion"), "80");
  }
});

test("an object of a list that cannot be used is rejected and the others are taken", () => {
  const harness = new ReflectorHarness({ streamsLists: false }).start();
  harness.identify();
  const broken = { ...serviceObject("bad_name", 41) };
  harness.next().answer(listOf("Service", [serviceObject("a", 40), broken, serviceObject("b", 42)], 80));
  assert.deepEqual(harness.keys, ["shop/a", "shop/b"]);
  assert.deepEqual(harness.sink.rejections, [
    'shop/bad_name: metadata.name is "bad_name"; accepted is a DNS label: at most 63 letters, digits and hyphens',
  ]);
});

test("a list that the guard holds is not watched from: another one comes after the pause, as new as etcd", () => {
  for (const streamsLists of [true, false]) {
    const harness = new ReflectorHarness({ resumeFrom: "100", streamsLists }).start();
    harness.sink.verdicts.push({
      outcome: "held",
      reason: "9 of 10 Services are gone",
      retryAfterMs: 60_000,
    });
    harness.next().refuse(410, "Expired");
    const answer = (version: number): void => {
      const request = harness.next(10_000);
      if (!streamsLists) return request.answer(listOf("Service", [], version));
      request.open().event("BOOKMARK", bookmark("Service", version, true));
      return undefined;
    };
    answer(200);
    assert.equal(harness.statuses.at(-1), "down: the list is held back: 9 of 10 Services are gone");
    harness.clock.advance(62_999);
    assert.equal(harness.transport.waiting.length, 0);
    if (streamsLists) assert.equal(harness.transport.requests.at(-1)?.isAborted, true);
    harness.clock.advance(1);
    const [waiting] = harness.transport.waiting;
    assert.ok(!waiting.includes("resourceVersion="), waiting);
    answer(210);
    assert.equal(harness.sink.resourceVersions.get("services"), "210");
    assert.equal(harness.sink.replaces, 2);
  }
});

test("a list that is older than what we have is refused once, then asked for as new as etcd and believed", () => {
  const harness = new ReflectorHarness({ resumeFrom: "1000", streamsLists: false }).start();
  harness.next().refuse(410, "Expired");
  harness.next(10_000).answer(listOf("Service", [], 999));
  assert.equal(harness.sink.replaces, 0);
  assert.equal(
    harness.statuses.at(-1),
    "down: the list is of resourceVersion 999, older than 1000 that we have",
  );
  const consistent = harness.next(20_000);
  assert.equal(consistent.parameter("resourceVersion"), undefined);
  assert.equal(consistent.parameter("limit"), "500");
  consistent.answer(listOf("Service", [serviceObject("web", 5)], 6));
  assert.deepEqual(harness.keys, ["shop/web"]);
});

test("a list without a byte for 30 s is dropped and made again", () => {
  const harness = new ReflectorHarness({ streamsLists: false }).start();
  harness.identify();
  const list = harness.next().open().send('{"kind":"ServiceList"');
  harness.clock.advance(29_000);
  list.send(",");
  harness.clock.advance(29_999);
  assert.equal(list.isAborted, false);
  harness.clock.advance(1);
  assert.equal(list.isAborted, true);
  harness.identify(2000);
  assert.equal(harness.next().isWatch, false);
});

test("Namespaces are asked for as metadata, and whole ones do as well", () => {
  const harness = new ReflectorHarness({ feed: "namespaces", streamsLists: false }).start();
  harness.identify();
  const list = harness.next();
  assert.equal(
    list.accept,
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",
  );
  list.answer({
    ...listOf("Namespace", [namespaceObject("shop", 4)], 80),
    kind: "PartialObjectMetadataList",
  });
  const watch = harness.next().open();
  assert.equal(watch.accept, "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json");
  watch.event("ADDED", namespaceObject("dev", 81));
  watch.event("ADDED", { kind: "Namespace", metadata: { name: "prod", resourceVersion: "82" }, spec: {} });
  assert.deepEqual(harness.keys, ["/dev", "/prod", "/shop"]);
  watch.event("DELETED", namespaceObject("shop", 83));
  assert.deepEqual(harness.keys, ["/dev", "/prod"]);
});

test("slices are selected by label, for the list and for the watch", () => {
  const selectors = {
    "endpointslices-headless": "service.kubernetes.io/headless",
    "endpointslices-custom":
      "!service.kubernetes.io/headless,endpointslice.kubernetes.io/managed-by notin (endpointslice-controller.k8s.io)",
    endpointslices: undefined,
  } as const;
  for (const feed of ["endpointslices-headless", "endpointslices-custom", "endpointslices"] as const) {
    const harness = new ReflectorHarness({ feed, streamsLists: false }).start();
    harness.identify();
    const list = harness.next();
    assert.equal(list.url.pathname, "/apis/discovery.k8s.io/v1/endpointslices");
    assert.equal(list.parameter("labelSelector"), selectors[feed]);
    list.answer(listOf("EndpointSlice", [sliceObject("db-x", 10)], 80));
    assert.equal(harness.next().parameter("labelSelector"), selectors[feed]);
    assert.deepEqual(harness.keys, ["shop/db-x"]);
  }
});

test("a cluster that does not show kube-system is followed with an empty UID", () => {
  for (const code of [403, 404]) {
    const harness = new ReflectorHarness({ streamsLists: false }).start();
    harness.next().refuse(code, "Forbidden");
    harness.next().answer(listOf("Service", [], 80));
    assert.deepEqual(harness.sink.origins, [{ resourceVersion: "80", clusterUid: "" }]);
  }
});
