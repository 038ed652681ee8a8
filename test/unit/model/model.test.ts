import assert from "node:assert/strict";
import { test } from "node:test";
import { Model } from "../../../src/model/model.ts";
import { RecordBatch } from "../../../src/model/record-batch.ts";
import type { EndpointSliceRecord, ServiceRecord } from "../../../src/model/records.ts";

function service(name: string, clusterIP = "10.96.0.10"): ServiceRecord {
  return {
    kind: "Service",
    namespace: "default",
    name,
    type: "ClusterIP",
    clusterIPs: [clusterIP],
    externalName: "",
    ports: [],
  };
}

function withPort(name: string, port: number): ServiceRecord {
  return { ...service(name), ports: [{ name: "", protocol: "TCP", port }] };
}

function slice(name: string, serviceName: string, addresses: readonly string[]): EndpointSliceRecord {
  const endpoints = addresses.map((address) => ({ addresses: [address], hostname: "", ready: true }));
  return {
    kind: "EndpointSlice",
    namespace: "default",
    name,
    serviceName,
    addressType: "IPv4",
    ports: [],
    endpoints,
  };
}

function changedServices(model: Model): string[] {
  return model
    .takeChanges()
    .services.map(({ name }) => name)
    .sort();
}

test("an object that moved between feeds outlives its removal from the first", () => {
  const model = new Model();
  model.upsert("endpointslices-custom", slice("db-1", "db", ["10.0.0.1"]));
  model.upsert("endpointslices-headless", slice("db-1", "db", ["10.0.0.1"]));
  model.remove("endpointslices-custom", "default", "db-1");
  model.replace("endpointslices-custom", new RecordBatch());
  assert.equal(model.slicesOf("default", "db").length, 1);
  assert.equal(model.countOfFeed("endpointslices-custom"), 0);
  model.remove("endpointslices-headless", "default", "db-1");
  assert.deepEqual(model.slicesOf("default", "db"), []);
});

test("a slice that changes its Service marks both", () => {
  const model = new Model();
  model.upsert("endpointslices", slice("s", "old", ["10.0.0.1"]));
  model.takeChanges();
  model.upsert("endpointslices", slice("s", "new", ["10.0.0.1"]));
  assert.deepEqual(changedServices(model), ["new", "old"]);
  assert.deepEqual(model.slicesOf("default", "old"), []);
});

test("the same list again changes nothing", () => {
  const model = new Model();
  const batch = new RecordBatch();
  for (const name of ["a", "b"]) batch.append(service(name));
  model.replace("services", batch);
  assert.deepEqual(changedServices(model), ["a", "b"]);
  model.replace("services", batch);
  model.upsert("services", service("a"));
  assert.deepEqual(changedServices(model), []);
});

test("of an object that a list has twice, the last one counts", () => {
  const model = new Model();
  const batch = new RecordBatch();
  batch.append(service("web", "10.96.0.1"));
  batch.append(service("web", "10.96.0.2"));
  model.replace("services", batch);
  assert.deepEqual(model.service("default", "web")?.clusterIPs, ["10.96.0.2"]);
  assert.equal(model.countOfFeed("services"), 1);
});

test("an object that a list has but nobody could read stays as it was", () => {
  const model = new Model();
  const batch = new RecordBatch();
  for (const name of ["a", "b"]) batch.append(service(name));
  model.replace("services", batch);
  model.takeChanges();
  const relist = new RecordBatch();
  relist.keep("default", "b");
  relist.keep("default", "unknown");
  relist.append(service("c"));
  model.replace("services", relist);
  assert.deepEqual(changedServices(model), ["a", "c"]);
  assert.deepEqual(model.service("default", "b"), service("b"));
});

test("a Namespace is found by its name alone", () => {
  const model = new Model();
  model.upsert("namespaces", { kind: "Namespace", name: "prod" });
  assert.equal(model.hasNamespace("prod"), true);
  model.remove("namespaces", "", "prod");
  assert.equal(model.hasNamespace("prod"), false);
  assert.deepEqual(model.takeChanges().namespaces, ["prod"]);
});

test("a record of the wrong kind is refused before anything changes", () => {
  const model = new Model();
  const batch = new RecordBatch();
  batch.append(service("web"));
  batch.append({ kind: "Namespace", name: "default" });
  assert.throws(() => model.replace("services", batch), {
    name: "TypeError",
    message: "Cannot keep a Namespace in feed services: it holds Service objects",
  });
  assert.equal(model.count("Service"), 0);
  assert.throws(() => model.upsert("namespaces", service("web")), TypeError);
});

test("an exported feed does not see later changes", () => {
  const model = new Model();
  model.upsert("services", service("web"));
  const exported = model.exportFeed("services");
  model.upsert("services", service("web", "10.96.0.99"));
  assert.deepEqual([...exported.records()], [service("web")]);
});

test("a record that grew by one octet does not run into its neighbour", () => {
  const model = new Model();
  for (const name of ["a", "b"]) model.upsert("services", withPort(name, 127));
  model.upsert("services", withPort("a", 128));
  assert.deepEqual(model.service("default", "a"), withPort("a", 128));
  assert.deepEqual(model.service("default", "b"), withPort("b", 127));
});

test("records survive that others around them grow, shrink and go", () => {
  const model = new Model();
  const addresses = Array.from({ length: 60 }, (_, index) => `10.0.0.${index}`);
  for (let round = 0; round < 30; round++) {
    for (let index = 0; index < 100; index++) {
      const count = 1 + ((index * 7 + round * 13) % addresses.length);
      model.upsert("endpointslices", slice(`s-${index}`, `svc-${index % 10}`, addresses.slice(0, count)));
      if ((index + round) % 5 === 0) model.remove("endpointslices", "default", `s-${index}`);
    }
  }
  const left = Array.from({ length: 10 }, (_, index) => model.slicesOf("default", `svc-${index}`)).flat();
  assert.equal(left.length, 80);
  for (const { name, endpoints } of left) {
    const count = 1 + ((Number(name.slice(2)) * 7 + 29 * 13) % addresses.length);
    assert.deepEqual(
      endpoints.map((endpoint) => endpoint.addresses[0]),
      addresses.slice(0, count),
    );
  }
  const exported = [...model.exportFeed("endpointslices").records()];
  assert.deepEqual(
    new Map(exported.map((record) => [record.name, record])),
    new Map(left.map((record) => [record.name, record])),
  );
  assert.equal(exported.length, left.length);
});
