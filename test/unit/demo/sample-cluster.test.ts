import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { CHANGING_SERVICE, Churn } from "../../../src/demo/churn.ts";
import { probeQuestions } from "../../../src/demo/probe-questions.ts";
import { buildSampleCluster, objectsOf } from "../../../src/demo/sample-cluster.ts";
import { ObjectStore } from "../../../src/relay/object-store.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** A small generator with a seed: the same run every time. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function startChurn(seed: number) {
  const cluster = buildSampleCluster();
  const store = new ObjectStore({ historyEvents: 10_000 });
  for (const object of objectsOf(cluster)) store.put(object);
  const clock = new FakeClock();
  const churn = new Churn(store, cluster, { clock, random: seededRandom(seed) });
  churn.start();
  return { store, clock, churn, begun: store.revision };
}

suite("the sample cluster", () => {
  const cluster = buildSampleCluster();

  test("is a few hundred objects, the same in every run", () => {
    const objects = objectsOf(cluster);
    assert.ok(objects.length > 300 && objects.length < 600, String(objects.length));
    assert.deepEqual(objects, objectsOf(buildSampleCluster()));
  });

  test("gives every object its own name and uid, and no address twice", () => {
    const objects = objectsOf(cluster);
    assert.equal(new Set(objects.map(({ metadata }) => metadata["uid"])).size, objects.length);
    const addresses = [
      ...cluster.services.flatMap(({ clusterIPs }) => clusterIPs),
      ...cluster.slices.flatMap(({ endpoints }) => endpoints.map(({ address }) => address)),
    ];
    assert.equal(new Set(addresses).size, addresses.length);
  });

  test("has a Namespace for every object, kube-dns where it belongs, and the headless label on slices that need it", () => {
    const objects = objectsOf(cluster);
    for (const { metadata } of objects) {
      if (metadata.namespace !== undefined) assert.ok(cluster.namespaces.includes(metadata.namespace));
    }
    const dns = cluster.services.find(({ name }) => name === "kube-dns");
    assert.deepEqual(dns?.clusterIPs, ["10.96.0.10"]);
    const headless = objects.filter(
      ({ metadata }) => metadata.labels?.["service.kubernetes.io/headless"] === "",
    );
    assert.deepEqual(headless.map(({ metadata }) => metadata.name).sort(), [
      "cache-ipv4",
      "db-ipv4",
      "kafka-ipv4",
      "ledger-db-ipv4",
      "shards-ipv4",
    ]);
  });

  test("has several hundred names to ask for, NXDOMAIN, NODATA, SRV and PTR among them", () => {
    const questions = probeQuestions(cluster);
    assert.ok(questions.length > 500, String(questions.length));
    assert.ok(questions.some(({ rcode }) => rcode === 3));
    assert.deepEqual(
      questions.find(({ qname }) => qname === "db-0.db.shop.svc.cluster.local")?.rdata.length,
      1,
    );
  });
});

suite("churn", () => {
  test("replaces pods and lets a Service come and go, several times a minute", () => {
    const { store, clock, begun } = startChurn(7);
    const seen = new Set<boolean>();
    for (let second = 0; second < 30; second += 1) {
      clock.advance(1_000);
      const { namespace, name } = CHANGING_SERVICE;
      seen.add(store.collection("Service").get(namespace, name) !== undefined);
    }
    assert.deepEqual(seen, new Set([true, false]));
    assert.ok(store.revision - begun > 30, `${store.revision - begun} changes`);
    assert.ok((store.collection("EndpointSlice").changesSince(begun) ?? []).length > 30);
  });

  test("never touches a name that the outage drill asks for", () => {
    const { store, clock, begun } = startChurn(11);
    clock.advance(10 * 60_000);
    const asked = new Set(probeQuestions(buildSampleCluster()).map(({ qname }) => qname));
    for (const { before } of store.collection("EndpointSlice").changesSince(begun) ?? []) {
      const service = before?.labels["kubernetes.io/service-name"] ?? "";
      const isHeadless = before?.labels["service.kubernetes.io/headless"] === "";
      const qname = `${service}.${before?.namespace}.svc.cluster.local`;
      assert.ok(!isHeadless || !asked.has(qname), qname);
    }
    for (const { after, before } of store.collection("Service").changesSince(begun) ?? []) {
      assert.equal((after ?? before)?.name, CHANGING_SERVICE.name);
    }
  });

  test("stops", () => {
    const { store, clock, churn } = startChurn(3);
    clock.advance(5_000);
    churn.stop();
    const stopped = store.revision;
    clock.advance(60_000);
    assert.equal(store.revision, stopped);
    assert.equal(clock.pendingTimers, 0);
  });
});
