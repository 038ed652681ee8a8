import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { FEEDS, kindOfFeed } from "../../src/model/feed.ts";
import type { Feed } from "../../src/model/feed.ts";
import { Model } from "../../src/model/model.ts";
import { RecordBatch } from "../../src/model/record-batch.ts";
import type { EndpointSliceRecord, Kind, ModelRecord, ServiceRecord } from "../../src/model/records.ts";
import { KINDS } from "../../src/model/records.ts";
import { namespaceRecords, serviceRecords, sliceRecords } from "../support/record-arbitraries.ts";

type Step =
  | { readonly do: "replace"; readonly feed: Feed; readonly records: readonly ModelRecord[] }
  | { readonly do: "upsert"; readonly feed: Feed; readonly record: ModelRecord }
  | { readonly do: "remove"; readonly feed: Feed; readonly record: ModelRecord }
  | { readonly do: "dropFeed"; readonly feed: Feed };

const RECORDS = { Namespace: namespaceRecords, Service: serviceRecords, EndpointSlice: sliceRecords };

const steps: fc.Arbitrary<Step> = fc.constantFrom(...FEEDS).chain((feed): fc.Arbitrary<Step> => {
  const record: fc.Arbitrary<ModelRecord> = RECORDS[kindOfFeed(feed)];
  return fc.oneof(
    { weight: 6, arbitrary: record.map((record): Step => ({ do: "upsert", feed, record })) },
    { weight: 4, arbitrary: record.map((record): Step => ({ do: "remove", feed, record })) },
    {
      weight: 2,
      arbitrary: fc
        .uniqueArray(record, { maxLength: 12, selector: keyOf })
        .map((records): Step => ({ do: "replace", feed, records })),
    },
    { weight: 1, arbitrary: fc.constant<Step>({ do: "dropFeed", feed }) },
  );
});

/** The obvious model: objects in Maps, changes found by comparing everything before and after. */
class ReferenceModel {
  readonly objects = new Map<string, { feed: Feed; record: ModelRecord }>();

  apply(step: Step): void {
    switch (step.do) {
      case "upsert":
        this.objects.set(keyOf(step.record), step);
        return;
      case "remove":
        if (this.objects.get(keyOf(step.record))?.feed === step.feed) this.objects.delete(keyOf(step.record));
        return;
      case "dropFeed":
        this.apply({ do: "replace", feed: step.feed, records: [] });
        return;
      case "replace": {
        const listed = new Set(step.records.map(keyOf));
        for (const [key, { feed }] of this.objects) {
          if (feed === step.feed && !listed.has(key)) this.objects.delete(key);
        }
        for (const record of step.records) this.apply({ do: "upsert", feed: step.feed, record });
      }
    }
  }

  list(kind: Kind, feed?: Feed): ModelRecord[] {
    return [...this.objects.values()]
      .filter((object) => object.record.kind === kind && (feed === undefined || object.feed === feed))
      .map(({ record }) => record);
  }

  slicesOf(namespace: string, serviceName: string): EndpointSliceRecord[] {
    return (this.list("EndpointSlice") as EndpointSliceRecord[])
      .filter((slice) => slice.namespace === namespace && slice.serviceName === serviceName)
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }
}

function keyOf(record: ModelRecord): string {
  return JSON.stringify([record.kind, record.kind === "Namespace" ? "" : record.namespace, record.name]);
}

function applyTo(model: Model, step: Step): void {
  if (step.do === "upsert") model.upsert(step.feed, step.record);
  else if (step.do === "dropFeed") model.dropFeed(step.feed);
  else if (step.do === "replace") model.replace(step.feed, batchOf(step.records));
  else
    model.remove(step.feed, step.record.kind === "Namespace" ? "" : step.record.namespace, step.record.name);
}

function batchOf(records: readonly ModelRecord[]): RecordBatch {
  const batch = new RecordBatch(0);
  for (const record of records) batch.append(record);
  return batch;
}

/** Names whose objects differ between two states, as `takeChanges` must report them. */
function changedBetween(before: ReferenceModel["objects"], after: ReferenceModel["objects"]): string[] {
  const changed = new Set<string>();
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const records = [before.get(key)?.record, after.get(key)?.record];
    if (JSON.stringify(records[0]) === JSON.stringify(records[1])) continue;
    for (const record of records) if (record !== undefined) changed.add(changeOf(record));
  }
  return [...changed].sort();
}

function changeOf(record: ModelRecord): string {
  if (record.kind === "Namespace") return JSON.stringify([record.name]);
  return JSON.stringify([record.namespace, record.kind === "Service" ? record.name : record.serviceName]);
}

function sorted(records: Iterable<ModelRecord>): string[] {
  return Array.from(records, (record) => JSON.stringify(record)).sort();
}

test("the packed model does what Maps of objects do, and reports every change and no other", () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 60 }), (sequence) => {
      const model = new Model();
      const reference = new ReferenceModel();
      for (const step of sequence) {
        const before = new Map(reference.objects);
        applyTo(model, step);
        reference.apply(step);
        const { namespaces, services } = model.takeChanges();
        const reported = [
          ...namespaces.map((name) => JSON.stringify([name])),
          ...services.map(({ namespace, name }) => JSON.stringify([namespace, name])),
        ];
        assert.deepEqual(reported.sort(), changedBetween(before, reference.objects));
      }
      compare(model, reference);
    }),
    { numRuns: 400 },
  );
});

function compare(model: Model, reference: ReferenceModel): void {
  const namespaces = reference.list("Namespace").map(({ name }) => name);
  assert.deepEqual([...model.namespaces()].sort(), namespaces.sort());
  assert.ok(namespaces.every((name) => model.hasNamespace(name)));

  const services = reference.list("Service") as ServiceRecord[];
  const listed = Array.from(model.services(), ({ namespace, name }) => model.service(namespace, name));
  assert.deepEqual(sorted(listed as ServiceRecord[]), sorted(services));

  for (const slice of reference.list("EndpointSlice") as EndpointSliceRecord[]) {
    const { namespace, serviceName } = slice;
    assert.deepEqual(model.slicesOf(namespace, serviceName), reference.slicesOf(namespace, serviceName));
  }
  assert.deepEqual(model.slicesOf("default", "never seen"), []);
  for (const kind of KINDS) assert.equal(model.count(kind), reference.list(kind).length);
  for (const feed of FEEDS) {
    const records = reference.list(kindOfFeed(feed), feed);
    assert.equal(model.countOfFeed(feed), records.length);
    assert.deepEqual(sorted(model.exportFeed(feed).records()), sorted(records));
  }
}
