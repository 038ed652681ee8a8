import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { startEmbeddedApi } from "../../support/embedded-api.ts";
import type { EmbeddedApi, EmbeddedApiOptions } from "../../support/embedded-api.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { summary, WatchClient } from "../../support/watch-client.ts";
import type { WatchLine } from "../../support/watch-client.ts";

const METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const WATCH_LIST = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";

function service(name: string, labels: Record<string, string> = {}, text = "") {
  return {
    kind: "Service" as const,
    metadata: { namespace: "shop", name, labels },
    spec: { externalName: text },
  };
}

/** Runs with a server and a way to open watches on its Services; everything is closed afterwards. */
async function withWatches(
  options: EmbeddedApiOptions,
  run: (api: EmbeddedApi, watch: (query: string, accept?: string) => Promise<WatchClient>) => Promise<void>,
): Promise<void> {
  const api = await startEmbeddedApi(options);
  const clients: WatchClient[] = [];
  try {
    await run(api, async (query, accept) => {
      const headers = accept === undefined ? undefined : { accept };
      const client = await WatchClient.open(`${api.url}/api/v1/services?watch=1&${query}`, headers);
      clients.push(client);
      return client;
    });
  } finally {
    for (const client of clients) client.close();
    await api.close();
  }
}

async function take(watch: WatchClient, count: number): Promise<WatchLine[]> {
  const lines: WatchLine[] = [];
  while (lines.length < count) {
    const line = await watch.next();
    assert.ok(line !== undefined, `the watch ended after ${lines.length} of ${count} events`);
    lines.push(line);
  }
  return lines;
}

suite("a watch", () => {
  test("from a resourceVersion replays what came after it, then reports changes as they happen", () =>
    withWatches({ objects: [service("a")] }, async (api, watch) => {
      const seen = api.revision;
      api.put(service("b"));
      const client = await watch(`resourceVersion=${seen}`);
      assert.deepEqual((await take(client, 1)).map(summary), ["ADDED b"]);
      api.put(service("a", {}, "changed"));
      api.delete("Service", "shop", "b");
      const [modified, deleted] = await take(client, 2);
      assert.deepEqual([modified, deleted].map(summary), ["MODIFIED a", "DELETED b"]);
      assert.deepEqual(modified.object["spec"], { externalName: "changed" });
      assert.equal(modified.object.kind, "Service");
      assert.equal(modified.object["apiVersion"], "v1");
      assert.equal(
        deleted.object.metadata.resourceVersion,
        String(api.revision),
        "a deletion carries its own revision",
      );
    }));

  test("without a resourceVersion starts with the current objects", () =>
    withWatches({ objects: [service("b"), service("a")] }, async (api, watch) => {
      const client = await watch("");
      assert.deepEqual((await take(client, 2)).map(summary), ["ADDED a", "ADDED b"]);
      api.put(service("c"));
      assert.deepEqual((await take(client, 1)).map(summary), ["ADDED c"]);
    }));

  test("reports nothing for an update that changes nothing", () =>
    withWatches({ objects: [service("a", {}, "same")] }, async (api, watch) => {
      const client = await watch(`resourceVersion=${api.revision}`);
      api.put(service("a", {}, "same"));
      api.put(service("b"));
      assert.deepEqual((await take(client, 1)).map(summary), ["ADDED b"]);
    }));

  test("shows metadata alone when the Accept header asks for it", () =>
    withWatches({ objects: [service("a", {}, "hidden")] }, async (api, watch) => {
      const client = await watch("allowWatchBookmarks=true", METADATA_ONLY);
      const full = await watch("");
      const [added] = await take(client, 1);
      assert.equal(added.object.kind, "PartialObjectMetadata");
      assert.equal(added.object["apiVersion"], "meta.k8s.io/v1");
      assert.equal("spec" in added.object, false);
      await take(full, 1);
      api.delete("Service", "shop", "a");
      assert.equal((await take(client, 1))[0].object.kind, "PartialObjectMetadata");
      assert.deepEqual((await take(full, 1))[0].object["spec"], { externalName: "hidden" });
    }));

  test("is a stream of whole JSON lines with non-ASCII text intact", () =>
    withWatches({ objects: [service("a", {}, "größe – 港")] }, async (_api, watch) => {
      const [added] = await take(await watch(""), 1);
      assert.deepEqual(added.object["spec"], { externalName: "größe – 港" });
    }));
});

suite("a filtered watch", () => {
  test("sees an object that starts to match as ADDED and one that stops as DELETED, with its last matching state", () =>
    withWatches({ objects: [service("a", { app: "web" }, "one")] }, async (api, watch) => {
      const client = await watch(`resourceVersion=${api.revision}&labelSelector=app%3Dweb`);
      api.put(service("a", { app: "web" }, "two"));
      api.put(service("a", { app: "other" }, "three"));
      api.put(service("a", { app: "other" }, "four"));
      api.put(service("a", { app: "web" }, "five"));
      api.put(service("b", { app: "other" }));
      api.delete("Service", "shop", "b");
      api.delete("Service", "shop", "a");
      const lines = await take(client, 4);
      assert.deepEqual(lines.map(summary), ["MODIFIED a", "DELETED a", "ADDED a", "DELETED a"]);
      assert.deepEqual(
        lines.map(({ object }) => object["spec"]),
        ["two", "two", "five", "five"].map((externalName) => ({ externalName })),
      );
      assert.deepEqual(
        lines.map(({ object }) => object.metadata.resourceVersion),
        ["3", "4", "6", "9"],
      );
    }));

  test("applies to replayed changes and to the initial state alike", () =>
    withWatches({ objects: [service("a", { app: "web" }), service("b")] }, async (api, watch) => {
      const seen = api.revision;
      api.put(service("b", { app: "web" }));
      api.put(service("a"));
      const replayed = await watch(`resourceVersion=${seen}&labelSelector=app`);
      assert.deepEqual((await take(replayed, 2)).map(summary), ["ADDED b", "DELETED a"]);
      assert.deepEqual((await take(await watch("labelSelector=app"), 1)).map(summary), ["ADDED b"]);
    }));

  test("selects one object by name", () =>
    withWatches({ objects: [service("a"), service("b")] }, async (_api, watch) => {
      assert.deepEqual((await take(await watch("fieldSelector=metadata.name%3Db"), 1)).map(summary), [
        "ADDED b",
      ]);
    }));
});

suite("a watch whose resourceVersion the server cannot serve", () => {
  test("gets one ERROR event 410 Expired when the history does not reach back; a new list and watch go on", () =>
    withWatches({ objects: [service("a")], store: { historyEvents: 2 } }, async (api, watch) => {
      const seen = api.revision;
      const first = await watch(`resourceVersion=${seen}`);
      api.put(service("b"));
      api.put(service("c"));
      assert.deepEqual((await take(first, 2)).map(summary), ["ADDED b", "ADDED c"]);
      const resumed = await watch(`resourceVersion=${seen}`);
      assert.deepEqual(
        (await take(resumed, 2)).map(summary),
        ["ADDED b", "ADDED c"],
        "two changes are still known",
      );
      api.put(service("d"));
      const tooOld = await watch(`resourceVersion=${seen}`);
      assert.equal(tooOld.status, 200);
      const lines = await tooOld.rest();
      assert.deepEqual(lines.map(summary), ["ERROR Expired"]);
      assert.equal(lines[0].object.code, 410);
      assert.match(lines[0].object.message ?? "", /^too old resource version: 2 \(3\)$/);
      assert.deepEqual((await take(await watch(WATCH_LIST), 4)).map(summary).at(-1), "ADDED d");
    }));

  test("gets one ERROR event 410 for a revision from before the server started", () =>
    withWatches({ store: { firstRevision: 500 } }, async (_api, watch) => {
      assert.deepEqual((await (await watch("resourceVersion=499")).rest()).map(summary), ["ERROR Expired"]);
    }));

  test("gets one ERROR event 504 for a future revision", () =>
    withWatches({ objects: [service("a")] }, async (_api, watch) => {
      const [line] = await (await watch("resourceVersion=4000")).rest();
      assert.deepEqual([line.type, line.object.code, line.object.reason], ["ERROR", 504, "Timeout"]);
      assert.match(line.object.message ?? "", /^Too large resource version/);
    }));

  test("with sendInitialEvents waits 3 s for a future revision before it says so", async () => {
    const clock = new FakeClock();
    await withWatches({ clock }, async (_api, watch) => {
      const client = watch(`${WATCH_LIST}&resourceVersion=4000`);
      while (clock.pendingTimers === 0) await clock.advanceAsync(0);
      clock.advance(3_000);
      assert.deepEqual(
        (await (await client).rest()).map(({ object }) => object.code),
        [504],
      );
    });
  });
});

suite("a streaming list (WatchList)", () => {
  test("gives the initial state, then a bookmark that ends it, then changes", () =>
    withWatches({ objects: [service("b"), service("a")] }, async (api, watch) => {
      const client = await watch(WATCH_LIST);
      const lines = await take(client, 3);
      assert.deepEqual(lines.map(summary), ["ADDED a", "ADDED b", "BOOKMARK"]);
      assert.deepEqual(lines[2].object.metadata.annotations, { "k8s.io/initial-events-end": "true" });
      assert.equal(lines[2].object.metadata.resourceVersion, String(api.revision));
      api.put(service("c"));
      assert.deepEqual((await take(client, 1)).map(summary), ["ADDED c"]);
    }));

  test("of nothing is the bookmark alone", () =>
    withWatches({}, async (_api, watch) => {
      assert.deepEqual((await take(await watch(WATCH_LIST), 1)).map(summary), ["BOOKMARK"]);
    }));

  test("of a large state is not limited by the queue for changes, and loses none that happen meanwhile", () => {
    const objects = Array.from({ length: 3_000 }, (_, index) => service(`s${index}`, {}, "x".repeat(2_000)));
    return withWatches({ objects, limits: { maxQueuedBytes: 100_000 } }, async (api, watch) => {
      const client = await watch(WATCH_LIST);
      api.put(service("later"));
      const lines = await take(client, 3_002);
      assert.deepEqual(lines.slice(-2).map(summary), ["BOOKMARK", "ADDED later"]);
    });
  });
});

suite("bookmarks and timeouts", () => {
  test("a quiet watch gets a bookmark every 60 s with the revision of all resources", async () => {
    const clock = new FakeClock();
    await withWatches({ objects: [service("a")], clock }, async (api, watch) => {
      const client = await watch(`resourceVersion=${api.revision}&allowWatchBookmarks=true`);
      api.put({ kind: "Namespace", metadata: { name: "shop" } });
      clock.advance(60_000);
      const [first] = await take(client, 1);
      assert.deepEqual(
        [first.type, first.object.kind, first.object.metadata.resourceVersion],
        ["BOOKMARK", "Service", "3"],
      );
      assert.equal(first.object.metadata.annotations, undefined);
      clock.advance(60_000);
      assert.deepEqual((await take(client, 1)).map(summary), ["BOOKMARK"]);
    });
  });

  test("timeoutSeconds ends the watch in order, just after a last bookmark", async () => {
    const clock = new FakeClock();
    await withWatches({ clock }, async (api, watch) => {
      const client = await watch(
        `resourceVersion=${api.revision}&allowWatchBookmarks=true&timeoutSeconds=50`,
      );
      const silent = await watch(`resourceVersion=${api.revision}&timeoutSeconds=50`);
      clock.advance(49_999);
      assert.equal(api.watchCount, 2);
      clock.advance(1);
      assert.deepEqual((await client.rest()).map(summary), ["BOOKMARK"]);
      assert.deepEqual(await silent.rest(), []);
      assert.equal(api.watchCount, 0);
    });
  });

  test("without timeoutSeconds the server ends the watch after 30 to 60 minutes", async () => {
    const clock = new FakeClock();
    await withWatches({ clock }, async (api, watch) => {
      const client = await watch(`resourceVersion=${api.revision}`);
      clock.advance(44 * 60_000);
      assert.equal(api.watchCount, 1);
      clock.advance(60_000);
      assert.deepEqual(await client.rest(), []);
    });
  });
});

suite("watchers that do not keep up or go away", () => {
  test("one that does not read is dropped beyond the bound, and the others see everything", async () => {
    const clock = new FakeClock();
    await withWatches({ clock, limits: { maxQueuedBytes: 256 * 1024 } }, async (api, watch) => {
      const slow = await watch(`resourceVersion=${api.revision}`);
      const good = await watch(`resourceVersion=${api.revision}`);
      const text = "x".repeat(64 * 1024);
      let changes = 0;
      // How much the kernel buffers is not ours to know: write until the bound is met.
      while (api.watchCount === 2 && changes < 1_000) {
        changes += 1;
        api.put(service(`s${changes}`, {}, text));
        await take(good, 1);
      }
      assert.equal(api.watchCount, 1);
      clock.advance(5_000);
      assert.equal(await slow.drain(), false, "what it does not read in 5 s is thrown away");
      api.put(service("last"));
      assert.deepEqual((await take(good, 1)).map(summary), ["ADDED last"]);
    });
  });

  test("one that leaves is forgotten, with its timers", async () => {
    const clock = new FakeClock();
    await withWatches({ clock }, async (api, watch) => {
      const client = await watch(`resourceVersion=${api.revision}&allowWatchBookmarks=true`);
      assert.equal(api.watchCount, 1);
      client.close();
      while (api.watchCount > 0) await clock.advanceAsync(0);
      assert.equal(clock.pendingTimers, 0);
    });
  });
});
