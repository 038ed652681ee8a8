import assert from "node:assert/strict";
import { test } from "node:test";
import type { Feed } from "../../../../src/model/feed.ts";
import { Model } from "../../../../src/model/model.ts";
import type { RecordBatch } from "../../../../src/model/record-batch.ts";
import { createManifestSource } from "../../../../src/sources/manifests/manifest-source.ts";
import type { Source, Verdict } from "../../../../src/sources/source.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { FakeManifestFiles } from "../../../support/fake-manifest-files.ts";
import { RecordingLog } from "../../../support/recording-log.ts";
import { RecordingSink } from "../../../support/recording-sink.ts";

/** What a source makes of a directory, seen through a model behind it. */
class ModelSink extends RecordingSink {
  readonly model = new Model();
  verdict: Verdict = { outcome: "accepted" };

  override replace(feed: Feed, batch: RecordBatch): Verdict {
    super.replace(feed, batch);
    if (this.verdict.outcome === "accepted") this.model.replace(feed, batch);
    return this.verdict;
  }

  get services(): string[] {
    return Array.from(this.model.services(), ({ namespace, name }) => `${namespace}/${name}`).sort();
  }

  matching(start: string): string[] {
    return this.calls.filter((call) => call.startsWith(start));
  }
}

interface Bench {
  readonly files: FakeManifestFiles;
  readonly clock: FakeClock;
  readonly sink: ModelSink;
  readonly source: Source;
}

function createBench(): Bench {
  const files = new FakeManifestFiles();
  const clock = new FakeClock();
  const sink = new ModelSink();
  const source = createManifestSource(
    { directory: "/manifests" },
    { clock, log: new RecordingLog(), files },
    sink,
  );
  return { files, clock, sink, source };
}

function service(name: string, clusterIP = "10.96.0.10", namespace = "default"): string {
  return `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {clusterIP: ${clusterIP}}\n`;
}

test("what is in the directory at the start is served, and the feeds are live", async () => {
  const { files, clock, sink, source } = createBench();
  files.put("a.yaml", `${service("web")}---\n${service("db", "None")}`);
  files.put(
    "b.json",
    JSON.stringify({
      kind: "List",
      apiVersion: "v1",
      items: [
        { kind: "Namespace", apiVersion: "v1", metadata: { name: "empty" } },
        {
          kind: "EndpointSlice",
          apiVersion: "discovery.k8s.io/v1",
          metadata: { name: "db-1", labels: { "kubernetes.io/service-name": "db" } },
          addressType: "IPv4",
          endpoints: [{ addresses: ["10.0.0.1"], hostname: "db-0" }],
        },
      ],
    }),
  );
  source.start();
  await clock.advanceAsync(0);
  assert.deepEqual(sink.services, ["default/db", "default/web"]);
  assert.equal(
    sink.model.slicesOf("default", "db")[0].endpoints[0].hostname,
    "db-0",
    "without a namespace: default",
  );
  assert.deepEqual(
    [...sink.model.namespaces()].sort(),
    ["default", "empty"],
    "a namespace exists with its objects",
  );
  assert.deepEqual(sink.matching("status"), [
    "status namespaces listing",
    "status services listing",
    "status endpointslices listing",
    "status namespaces live",
    "status services live",
    "status endpointslices live",
  ]);
  source.stop();
});

test("an empty directory is complete", async () => {
  const { clock, sink, source } = createBench();
  source.start();
  await clock.advanceAsync(0);
  assert.deepEqual(sink.matching("replace"), [
    "replace namespaces 0",
    "replace services 0",
    "replace endpointslices 0",
  ]);
  source.stop();
});

test("an announced change is served within a quarter of a second, one that is not within a second", async () => {
  const { files, clock, sink, source } = createBench();
  source.start();
  await clock.advanceAsync(1);
  files.put("a.yaml", service("web"));
  files.announce();
  await clock.advanceAsync(250);
  assert.deepEqual(sink.services, ["default/web"]);
  files.put("a.yaml", service("web2"));
  await clock.advanceAsync(1_000);
  assert.deepEqual(sink.services, ["default/web2"]);
  files.remove("a.yaml");
  await clock.advanceAsync(1_000);
  assert.deepEqual(sink.services, []);
  assert.equal(sink.model.hasNamespace("default"), false);
  source.stop();
});

test("without a change nothing is read and nothing reported again", async () => {
  const { files, clock, sink, source } = createBench();
  files.put("a.yaml", `${service("web")}---\nkind: Deployment\napiVersion: apps/v1\n`);
  source.start();
  await clock.advanceAsync(1);
  const { length } = sink.calls;
  await clock.advanceAsync(60_000);
  assert.equal(sink.calls.length, length);
  assert.equal(files.reads, 1);
  source.stop();
});

test("a file that keeps changing is not read before it settles", async () => {
  const { files, clock, sink, source } = createBench();
  files.put("a.yaml", service("web"));
  source.start();
  await clock.advanceAsync(1);
  for (const part of ["half", "three-quarters"]) {
    files.put("a.yaml", service(part));
    files.announce();
    await clock.advanceAsync(90);
  }
  files.put("a.yaml", service("whole"));
  await clock.advanceAsync(1_000);
  assert.deepEqual(sink.services, ["default/whole"]);
  assert.equal(files.reads, 2);
  source.stop();
});

const ACCEPTED = "accepted are Service (v1), EndpointSlice (discovery.k8s.io/v1), Namespace (v1)";
const REJECTED = [
  {
    name: "another kind",
    text: "kind: Deployment\napiVersion: apps/v1\n",
    call: `rejected services bad.yaml document 2 line 6: kind Deployment is not served; ${ACCEPTED}`,
  },
  {
    name: "no kind",
    text: "web: 5\n",
    call: `rejected services bad.yaml document 2 line 6: there is no kind; ${ACCEPTED}`,
  },
  {
    name: "a text",
    text: "hello\n",
    call: `rejected services bad.yaml document 2 line 6: there is no kind; ${ACCEPTED}`,
  },
  {
    name: "another version",
    text: "kind: EndpointSlice\napiVersion: discovery.k8s.io/v1beta1\n",
    call: "rejected endpointslices bad.yaml document 2 line 6: EndpointSlice has apiVersion discovery.k8s.io/v1beta1; accepted is discovery.k8s.io/v1",
  },
  {
    name: "a bad address",
    text: service("bad", "10.96.0.300"),
    call: 'rejected services bad.yaml document 2 line 6: Service default/bad: spec.clusterIP is "10.96.0.300"; accepted is an IP address or None',
  },
  {
    name: "a slice without its label",
    text: "kind: EndpointSlice\napiVersion: discovery.k8s.io/v1\nmetadata: {name: s}\naddressType: IPv4\n",
    call: "rejected endpointslices bad.yaml document 2 line 6: EndpointSlice default/s: no label kubernetes.io/service-name",
  },
];
for (const { name, text, call } of REJECTED) {
  test(`${name} is rejected with its place and what is accepted; the rest counts`, async () => {
    const { files, clock, sink, source } = createBench();
    files.put("bad.yaml", `${service("web")}---\n${text}`);
    files.put("good.yaml", service("db"));
    source.start();
    await clock.advanceAsync(0);
    assert.deepEqual(sink.matching("rejected"), [call]);
    assert.deepEqual(sink.services, ["default/db", "default/web"]);
    source.stop();
  });
}

test("a typo in YAML takes nothing away: the file's objects stay, other documents and files count", async () => {
  const { files, clock, sink, source } = createBench();
  files.put("a.yaml", `${service("web")}---\n${service("db", "10.96.0.20", "prod")}`);
  source.start();
  await clock.advanceAsync(1);
  files.put("a.yaml", `${service("web", "10.96.0.99")}---\nkind: [\n`);
  files.put("b.yaml", service("new"));
  await clock.advanceAsync(1_000);
  assert.deepEqual(sink.services, ["default/new", "default/web", "prod/db"]);
  assert.deepEqual(sink.model.service("default", "web")?.clusterIPs, ["10.96.0.99"]);
  assert.deepEqual(sink.model.service("prod", "db")?.clusterIPs, ["10.96.0.20"]);
  assert.equal(sink.model.hasNamespace("prod"), true);
  assert.match(sink.matching("rejected")[0], /^rejected services a\.yaml document 2 line \d+: YAML: /);

  files.put("a.yaml", "kind: [\n");
  await clock.advanceAsync(1_000);
  assert.deepEqual(
    sink.services,
    ["default/new", "default/web", "prod/db"],
    "a second typo takes nothing either",
  );

  files.put("a.yaml", service("web"));
  await clock.advanceAsync(1_000);
  assert.deepEqual(sink.services, ["default/new", "default/web"], "once it can be read, it counts as it is");
  source.stop();
});

test("an object that turned bad stays as it was, others of its file can go", async () => {
  const { files, clock, sink, source } = createBench();
  files.put("a.yaml", `${service("web")}---\n${service("db")}`);
  source.start();
  await clock.advanceAsync(1);
  files.put("a.yaml", service("web", "nonsense"));
  await clock.advanceAsync(1_000);
  assert.deepEqual(sink.services, ["default/web"]);
  assert.deepEqual(sink.model.service("default", "web")?.clusterIPs, ["10.96.0.10"]);
  source.stop();
});

test("a file that turned blank is taken at its word after ten seconds", async () => {
  const { files, clock, sink, source } = createBench();
  files.put("a.yaml", service("web"));
  source.start();
  await clock.advanceAsync(1);
  files.put("a.yaml", "");
  await clock.advanceAsync(10_000);
  assert.deepEqual(sink.services, ["default/web"]);
  await clock.advanceAsync(2_000);
  assert.deepEqual(sink.services, []);
  source.stop();
});

test("a file that cannot be read any more keeps what it said", async () => {
  const { files, clock, sink, source } = createBench();
  files.put("a.yaml", service("web"));
  source.start();
  await clock.advanceAsync(1);
  files.put("a.yaml", new Error("EACCES: permission denied"));
  await clock.advanceAsync(5_000);
  assert.deepEqual(sink.services, ["default/web"]);
  assert.deepEqual(sink.matching("rejected"), [
    "rejected services a.yaml: the file cannot be read, what it said before stays: EACCES: permission denied",
  ]);
  source.stop();
});

test("of an object in two files the first by name counts, and the other is reported once", async () => {
  const { files, clock, sink, source } = createBench();
  files.put("b.yaml", service("web", "10.96.0.2"));
  files.put("a.yaml", service("web", "10.96.0.1"));
  source.start();
  await clock.advanceAsync(1);
  assert.deepEqual(sink.model.service("default", "web")?.clusterIPs, ["10.96.0.1"]);
  files.put("c.yaml", service("other"));
  await clock.advanceAsync(1_000);
  assert.deepEqual(sink.matching("rejected"), [
    "rejected services b.yaml document 1 line 1: Service default/web is in a.yaml document 1 line 1 already, which counts",
  ]);
  files.remove("a.yaml");
  await clock.advanceAsync(1_000);
  assert.deepEqual(sink.model.service("default", "web")?.clusterIPs, ["10.96.0.2"]);
  source.stop();
});

test("a directory that is missing empties nothing, says so, and is taken when it comes", async () => {
  const { files, clock, sink, source } = createBench();
  files.put("a.yaml", service("web"));
  source.start();
  await clock.advanceAsync(1);
  files.listError = new Error("ENOENT: no such directory");
  await clock.advanceAsync(10_000);
  assert.deepEqual(sink.services, ["default/web"]);
  assert.deepEqual(sink.matching("status services down"), [
    "status services down: manifests in /manifests cannot be read: ENOENT: no such directory",
  ]);
  files.listError = undefined;
  files.put("b.yaml", service("db"));
  await clock.advanceAsync(2_000);
  assert.deepEqual(sink.services, ["default/db", "default/web"]);
  assert.equal(sink.matching("status").at(-2), "status services live");
  source.stop();
});

test("a directory that took the place of another is watched anew", async () => {
  const { files, clock, source } = createBench();
  source.start();
  await clock.advanceAsync(1_000);
  assert.equal(files.watchers, 1);
  files.directoryId = "2";
  await clock.advanceAsync(1_000);
  assert.equal(files.watchers, 1);
  files.watchError = new Error("EMFILE");
  files.directoryId = "3";
  await clock.advanceAsync(1_000);
  assert.equal(files.watchers, 0);
  files.put("a.yaml", service("polled"));
  files.watchError = undefined;
  await clock.advanceAsync(1_000);
  assert.equal(files.watchers, 1);
  source.stop();
  assert.equal(files.watchers, 0);
});

test("a list that is held is offered again after the pause, and the feeds are not live meanwhile", async () => {
  const { files, clock, sink, source } = createBench();
  files.put("a.yaml", service("web"));
  sink.verdict = { outcome: "held", reason: "held by a test", retryAfterMs: 60_000 };
  source.start();
  await clock.advanceAsync(59_000);
  assert.deepEqual(sink.matching("replace"), ["replace namespaces 1"]);
  assert.equal(sink.matching("status").at(-1), "status endpointslices down: held by a test");
  sink.verdict = { outcome: "accepted" };
  await clock.advanceAsync(2_000);
  assert.deepEqual(sink.services, ["default/web"]);
  assert.equal(sink.matching("status").at(-1), "status endpointslices live");
  source.stop();
});

test("after stop() nothing is reported, and no timer is left", async () => {
  const { files, clock, sink, source } = createBench();
  files.put("a.yaml", service("web"));
  source.start();
  clock.advance(0);
  source.stop();
  source.stop();
  const { length } = sink.calls;
  await clock.advanceAsync(10_000);
  assert.equal(sink.calls.length, length);
  assert.equal(clock.pendingTimers, 0);
  assert.equal(files.watchers, 0);
});
