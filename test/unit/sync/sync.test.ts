import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MASK_ALL, MASK_SERVICES } from "../../../src/answers/delta.ts";
import {
  ALL_FEEDS,
  headless,
  HEADLESS_FEEDS,
  NAMESPACE,
  Node,
  service,
  slice,
  SyncHarness,
} from "./sync-harness.ts";

const SMALL = {
  namespaces: [NAMESPACE],
  services: [service("web", "10.96.0.1"), headless("db")],
  "endpointslices-headless": [slice("db", "10.244.0.1")],
  "endpointslices-custom": [],
} as const;

function manyServices(count: number) {
  return Array.from({ length: count }, (_, index) =>
    service(`web-${index}`, `10.96.${index >> 8}.${index & 255}`),
  );
}

/** An agent in step with a source that has `SMALL`. */
async function liveHarness(node = new Node()): Promise<SyncHarness> {
  const harness = new SyncHarness({ node });
  await harness.start();
  harness.driver.list("namespaces", "10", ...SMALL.namespaces);
  harness.driver.list("services", "10", ...SMALL.services);
  harness.driver.list("endpointslices-headless", "10", ...SMALL["endpointslices-headless"]);
  harness.driver.list("endpointslices-custom", "10");
  harness.driver.live();
  await harness.settle();
  return harness;
}

describe("what the disk holds", () => {
  test("is answered without a word from the source, and marked as old", async () => {
    const node = new Node();
    await node.save(SMALL);
    const harness = new SyncHarness({ node });
    await harness.start();
    assert.ok(harness.isRestored);
    assert.equal(node.ask("web.default"), "NOERROR 3 10.96.0.1");
    assert.equal(node.ask("db.default"), "NOERROR 3 10.244.0.1");
    assert.equal(node.ask("absent.default"), "NXDOMAIN 19");
    assert.deepEqual(
      harness.report?.kinds.map(({ state, isComplete }) => `${state} ${isComplete}`),
      ["restored true", "restored true", "restored true"],
    );
  });

  test("lets the source go on from where it was, for every feed that was whole", async () => {
    const node = new Node();
    await node.save({ namespaces: SMALL.namespaces, services: SMALL.services }, "77");
    const harness = new SyncHarness({ node });
    await harness.start();
    assert.deepEqual(
      [...harness.driver.resume],
      [
        ["namespaces", "77"],
        ["services", "77"],
      ],
    );
    const age = harness.report?.kinds.map(({ kind, ageMs }) => [kind, ageMs === undefined]);
    assert.deepEqual(age, [
      ["Namespace", false],
      ["Service", false],
      ["EndpointSlice", true],
    ]);
  });

  test("is nothing: nothing is denied before the source has said what there is", async () => {
    const harness = new SyncHarness();
    await harness.start();
    assert.ok(harness.isRestored);
    assert.equal(harness.node.ask("web.default"), "SERVFAIL 14");
    harness.driver.list("services", "10", ...SMALL.services);
    await harness.settle();
    assert.match(harness.node.ask("web.default"), /^NOERROR .*10\.96\.0\.1$/);
    // Its Service is known; its endpoints are not.
    assert.equal(harness.node.ask("db.default"), "SERVFAIL 14");
  });

  test("no source is started by a thread that was told to end while it read", async () => {
    const harness = new SyncHarness();
    const started = harness.sync.start();
    await harness.sync.stop();
    await started;
    assert.equal(harness.driver.sink, undefined);
  });
});

describe("deltas", () => {
  test("are never more than two under way, and none is lost, however slow the DNS thread is", async () => {
    const node = new Node();
    const services = manyServices(3_000);
    await node.save({ ...SMALL, services });
    const harness = new SyncHarness({ node, isSlow: true });
    await harness.start();
    assert.equal(harness.driver.sink, undefined, "the source waits for the disk's facts to be applied");
    while (harness.deliver()) assert.ok(harness.mostDeltasUnderWay <= 2);
    for (let index = 0; index < 100; index++) {
      // Changes while earlier ones wait: as they are when their turn comes, in order.
      harness.driver.sink!.upsert("services", service(`web-${index}`, "10.99.0.1"), String(200 + index));
      await harness.settle();
      if (index % 10 === 0) harness.deliver();
    }
    while (harness.deliver()) assert.ok(harness.mostDeltasUnderWay <= 2);
    assert.ok(harness.deltas > 5, `${harness.deltas} deltas`);
    assert.ok(harness.isRestored);
    assert.equal(node.ask("web-0.default"), "NOERROR 3 10.99.0.1");
    assert.equal(node.ask("web-99.default"), "NOERROR 3 10.99.0.1");
    assert.equal(node.ask("web-2999.default"), "NOERROR 3 10.96.11.183");
  });

  test("bring facts before the states that speak of them", async () => {
    const harness = new SyncHarness({ isSlow: true });
    const { table } = harness.node;
    const services = manyServices(3_000);
    let seen = 0;
    harness.onApplied = () => {
      if ((table.completeMask & MASK_SERVICES) === 0) return;
      seen++;
      assert.equal(table.serviceCount, services.length);
    };
    await harness.start();
    while (harness.deliver());
    harness.driver.list("namespaces", "10", NAMESPACE);
    harness.driver.list("services", "10", ...services);
    harness.driver.live("namespaces", "services");
    await harness.settle();
    while (harness.deliver());
    assert.ok(seen > 0);
  });

  test("from the disk come before the states that speak of them too", async () => {
    const node = new Node();
    const services = manyServices(3_000);
    await node.save({ ...SMALL, services });
    const harness = new SyncHarness({ node, isSlow: true });
    let seen = 0;
    harness.onApplied = () => {
      if ((node.table.completeMask & MASK_SERVICES) === 0) return;
      seen++;
      assert.equal(node.table.serviceCount, services.length);
    };
    await harness.start();
    while (harness.deliver());
    assert.ok(seen > 0);
  });

  test("of many changes in one turn are compiled once", async () => {
    const harness = await liveHarness();
    const before = harness.deltas;
    for (let index = 0; index < 50; index++)
      harness.driver.sink!.upsert("services", service("web", `10.97.0.${index}`), String(20 + index));
    await harness.settle();
    assert.equal(harness.deltas - before, 1);
    assert.equal(harness.node.ask("web.default"), "NOERROR 10.97.0.49");
  });
});

describe("reports", () => {
  test("say at once what kinds are, once for all that changed in one turn, and before it is answered from", async () => {
    const harness = new SyncHarness();
    await harness.start();
    const before = harness.reports;
    const { table } = harness.node;
    const seen: string[] = [];
    harness.onApplied = () => {
      if (table.completeMask !== MASK_ALL) return;
      for (const { state, objects } of harness.report!.kinds) seen.push(`${state} ${objects}`);
    };
    for (const feed of HEADLESS_FEEDS) harness.driver.list(feed, "10", ...SMALL[feed as keyof typeof SMALL]);
    harness.driver.live();
    await harness.settle();
    assert.deepEqual(seen.slice(0, 3), ["live 1", "live 2", "live 1"]);
    assert.equal(harness.reports - before, 1);
    await harness.pass(10_000);
    assert.equal(harness.reports - before, 11);
  });
});

describe("the snapshot", () => {
  test("has a change one second after it was answered", async () => {
    const harness = await liveHarness();
    await harness.pass(5_000);
    harness.driver.sink!.upsert("services", service("late", "10.97.0.1"), "20");
    await harness.settle();
    assert.equal(harness.node.ask("late.default"), "NOERROR 10.97.0.1");
    await harness.pass(1_000);
    assert.deepEqual(await harness.node.storedNames(), ["db", "late", "web"]);
  });

  test("is written for bookmarks alone every 30 seconds at most", async () => {
    const harness = await liveHarness();
    const { disk } = harness.node;
    await harness.pass(1_000);
    const writes = new Set<Uint8Array | undefined>();
    for (let second = 0; second < 90; second++) {
      for (const feed of HEADLESS_FEEDS) harness.driver.sink!.bookmark(feed, String(100 + second));
      await harness.pass(1_000);
      writes.add(disk.content("/data/snapshot.current"));
    }
    assert.ok(writes.size >= 3 && writes.size <= 4, `${writes.size} contents`);
    const { feeds } = (await harness.node.snapshot())!;
    assert.ok(feeds.every(({ resourceVersion }) => Number(resourceVersion) >= 150));
  });

  test("has what was changed just before the end", async () => {
    const harness = await liveHarness();
    await harness.pass(5_000);
    harness.driver.sink!.upsert("services", service("last", "10.97.0.1"), "20");
    await harness.sync.stop();
    assert.ok(harness.driver.isStopped);
    assert.deepEqual(await harness.node.storedNames(), ["db", "last", "web"]);
    assert.equal(harness.node.clock.pendingTimers, 0);
  });

  test("that cannot be written is said, and nothing else changes", async () => {
    const harness = await liveHarness();
    await harness.pass(5_000);
    harness.node.disk.failFromNow("ENOSPC");
    harness.driver.sink!.upsert("services", service("late", "10.97.0.1"), "20");
    await harness.pass(3_000);
    assert.equal(harness.node.ask("late.default"), "NOERROR 10.97.0.1");
    assert.match(harness.report!.snapshot.problems.join(), /^it cannot be written: ENOSPC/);
    harness.node.disk.heal();
    await harness.pass(60_000);
    assert.deepEqual(harness.report!.snapshot.problems, []);
    assert.deepEqual(await harness.node.storedNames(), ["db", "late", "web"]);
  });
});

describe("a list that the guard holds", () => {
  test("changes nothing, is reported, and its kind is not live for long", async () => {
    const harness = await liveHarness();
    assert.equal(harness.driver.list("services", "20").outcome, "held");
    harness.driver.live("services");
    await harness.settle();
    assert.equal(harness.node.ask("web.default"), "NOERROR 10.96.0.1");
    await harness.pass(11_000);
    assert.equal(harness.node.ask("web.default"), "NOERROR 3 10.96.0.1");
    const { held, kinds } = harness.report!;
    assert.deepEqual(
      held.map(({ policy, feed }) => [policy, feed]),
      [["zero-guard", "services"]],
    );
    const services = kinds.find(({ kind }) => kind === "Service")!;
    assert.equal(services.state, "stale");
    assert.match(services.reason, /held by zero-guard/);
    assert.equal(
      (await harness.node.snapshot())!.feeds.find(({ feed }) => feed === "services")!.resourceVersion,
      "10",
    );
  });
});

describe("feeds of an earlier configuration", () => {
  test("count until the present ones are live, from headless to all", async () => {
    const node = new Node();
    await node.save(SMALL);
    const harness = new SyncHarness({ node, feeds: ALL_FEEDS });
    await harness.start();
    assert.equal(node.ask("db.default"), "NOERROR 3 10.244.0.1");
    harness.driver.live("namespaces", "services");
    await harness.pass(2_000);
    assert.match(node.ask("db.default"), /10\.244\.0\.1$/);
    assert.ok((await node.snapshot())!.feeds.some(({ feed }) => feed === "endpointslices-headless"));
    harness.driver.list("endpointslices", "200", slice("db", "10.244.0.2"), slice("web", "10.244.0.3"));
    harness.driver.live("endpointslices");
    await harness.pass(2_000);
    assert.equal(node.ask("db.default"), "NOERROR 10.244.0.2");
    assert.deepEqual((await node.snapshot())!.feeds.map(({ feed }) => feed).toSorted(), [
      "endpointslices",
      "namespaces",
      "services",
    ]);
  });

  test("make the parts complete that are watched now, from all to headless", async () => {
    const node = new Node();
    await node.save({
      namespaces: SMALL.namespaces,
      services: SMALL.services,
      endpointslices: [slice("db", "10.244.0.1")],
    });
    const harness = new SyncHarness({ node });
    await harness.start();
    assert.equal(node.ask("db.default"), "NOERROR 3 10.244.0.1");
    assert.equal(node.table.completeMask, MASK_ALL);
    assert.ok(!harness.driver.resume.has("endpointslices-headless"));
    harness.driver.list("endpointslices-headless", "200", slice("db", "10.244.0.1"));
    harness.driver.live("endpointslices-headless");
    await harness.settle();
    assert.match(node.ask("db.default"), /10\.244\.0\.1$/);
    harness.driver.list("endpointslices-custom", "200");
    harness.driver.live();
    await harness.settle();
    assert.equal(node.ask("db.default"), "NOERROR 10.244.0.1");
  });

  test("lose nothing when the configuration goes back before the change was through", async () => {
    const node = new Node();
    await node.save(SMALL);
    const all = new SyncHarness({ node, feeds: ALL_FEEDS });
    await all.start();
    // The list is taken, and the agent killed before its watch is open.
    all.driver.list("endpointslices", "200", slice("db", "10.244.0.1"));
    await all.pass(2_000);

    const back = new SyncHarness({ node });
    await back.start();
    // What can be resumed has no news; what cannot has to be listed first.
    const { resume } = back.driver;
    back.driver.live(...HEADLESS_FEEDS.filter((feed) => resume.has(feed)));
    await back.settle();
    assert.match(node.ask("db.default"), /10\.244\.0\.1$/);
    for (const feed of HEADLESS_FEEDS) {
      if (resume.has(feed)) continue;
      back.driver.list(
        feed,
        "300",
        ...(feed === "endpointslices-headless" ? [slice("db", "10.244.0.1")] : []),
      );
      back.driver.live(feed);
      await back.settle();
      assert.match(node.ask("db.default"), /10\.244\.0\.1$/, feed);
    }
    assert.equal(node.ask("db.default"), "NOERROR 10.244.0.1");
  });
});

describe("a second thread over the table of the first", () => {
  test("with an older snapshot removes nothing until everything is live, and then once", async () => {
    const node = new Node();
    const first = await liveHarness(node);
    await first.pass(1_000);
    assert.equal(node.table.sweeps, 1);
    node.disk.failFromNow("EIO");
    first.driver.sink!.upsert("services", service("newer", "10.97.0.1"), "20");
    first.driver.sink!.upsert("services", service("gone", "10.97.0.2"), "21");
    await first.pass(1_000);
    node.disk.heal();

    const second = new SyncHarness({ node });
    await second.start();
    assert.equal(node.ask("newer.default"), "NOERROR 3 10.97.0.1");
    assert.equal(node.ask("gone.default"), "NOERROR 3 10.97.0.2");
    // While it was away, one of them was deleted: its watch says nothing of an object that it does not know.
    second.driver.sink!.upsert("services", service("newer", "10.97.0.1"), "22");
    second.driver.live("namespaces", "services", "endpointslices-headless");
    await second.settle();
    assert.match(node.ask("gone.default"), /10\.97\.0\.2$/);
    assert.equal(node.table.sweeps, 1);
    second.driver.live("endpointslices-custom");
    await second.settle();
    assert.equal(node.ask("gone.default"), "NXDOMAIN");
    assert.equal(node.ask("newer.default"), "NOERROR 10.97.0.1");
    assert.equal(node.ask("web.default"), "NOERROR 10.96.0.1");
    second.driver.sink!.status("services", { phase: "down", reason: "test" });
    await second.pass(11_000);
    second.driver.live("services");
    await second.settle();
    assert.equal(node.table.sweeps, 2);
  });

  test("without any snapshot keeps everything that the first one knew, and denies nothing new", async () => {
    const node = new Node();
    node.disk.failFromNow("EROFS");
    await liveHarness(node);
    const second = new SyncHarness({ node });
    await second.start();
    assert.equal(node.ask("web.default"), "NOERROR 3 10.96.0.1");
    assert.equal(node.ask("db.default"), "NOERROR 3 10.244.0.1");
    assert.equal(node.ask("absent.default"), "NXDOMAIN 19");
  });
});
