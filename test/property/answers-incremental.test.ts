/** Changes one by one give the same answers as everything at once, whatever the order and whoever sent what before. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { AnswerTable } from "../../src/answers/answer-table.ts";
import { DeltaApplier } from "../../src/answers/apply-delta.ts";
import { Compiler } from "../../src/answers/compile.ts";
import { DeltaWriter } from "../../src/answers/delta.ts";
import { Model } from "../../src/model/model.ts";
import { KINDS, type ModelRecord } from "../../src/model/records.ts";
import { differencesOf, questionsOf, repliesOf } from "../support/answer-paths-questions.ts";
import { feedOf } from "../support/answer-paths-table.ts";

const NAMESPACES = ["shop", "home"];
const SERVICES = ["web", "db", "web-2"];
const ADDRESSES_4 = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.1.0.1"];
const ADDRESSES_6 = ["fd00::1", "fd00::2", "fd00:1::"];
const HOSTNAMES = ["", "a", "db-0"];

const QUESTIONS = questionsOf({
  namespaces: NAMESPACES,
  services: SERVICES,
  below: [
    ...HOSTNAMES.filter((name) => name !== ""),
    ...ADDRESSES_4.map((address) => address.replaceAll(".", "-")),
    "fd00--1",
    "fd00-1--0",
    "_tcp",
    "_udp",
    "_http._tcp",
    "_dns._udp",
  ],
  reverseNames: [
    ...ADDRESSES_4.map((address) => `${address.split(".").toReversed().join(".")}.in-addr.arpa`),
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa",
    "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa",
  ],
});

const namespace = fc.constantFrom(...NAMESPACES);
const service = fc.constantFrom(...SERVICES);
const ports = fc.subarray([
  { name: "http", protocol: "TCP", port: 80 },
  { name: "http", protocol: "TCP", port: 8080 },
  { name: "dns", protocol: "UDP", port: 53 },
  { name: "", protocol: "TCP", port: 53 },
  { name: "any", protocol: "TCP", port: 0 },
] as const);

const serviceRecord: fc.Arbitrary<ModelRecord> = fc.record({
  kind: fc.constant("Service" as const),
  namespace,
  name: service,
  type: fc.constantFrom("ClusterIP", "ClusterIP", "Headless", "Headless", "ExternalName"),
  clusterIPs: fc.subarray([ADDRESSES_4[0], ADDRESSES_4[1], ADDRESSES_6[0]]),
  externalName: fc.constantFrom("web.shop.svc.cluster.local", "db.home.svc.cluster.local", "1.2.3.4"),
  ports,
});

const sliceRecord: fc.Arbitrary<ModelRecord> = fc
  .constantFrom("IPv4" as const, "IPv6" as const)
  .chain((addressType) =>
    fc.record({
      kind: fc.constant("EndpointSlice" as const),
      namespace,
      name: fc.constantFrom("slice-1", "slice-2", "slice-3"),
      serviceName: service,
      addressType: fc.constant(addressType),
      ports,
      endpoints: fc.array(
        fc.record({
          addresses: fc.subarray(addressType === "IPv4" ? ADDRESSES_4 : ADDRESSES_6, { minLength: 1 }),
          hostname: fc.constantFrom(...HOSTNAMES),
          ready: fc.constantFrom(true, true, false),
        }),
        { maxLength: 3 },
      ),
    }),
  );

const namespaceRecord: fc.Arbitrary<ModelRecord> = fc.record({
  kind: fc.constant("Namespace" as const),
  name: namespace,
});

interface Step {
  readonly isRemoval: boolean;
  readonly record: ModelRecord;
}

const steps = fc.array(
  fc.record<Step>({
    isRemoval: fc.constantFrom(false, false, true),
    record: fc.oneof(
      { weight: 3, arbitrary: serviceRecord },
      { weight: 4, arbitrary: sliceRecord },
      { weight: 1, arbitrary: namespaceRecord },
    ),
  }),
  { maxLength: 40 },
);

/** A model and what compiles it: what one sync thread has. */
class SyncSide {
  readonly model = new Model();
  readonly compiler: Compiler;

  constructor(tracksAllEndpoints: boolean) {
    this.compiler = new Compiler(this.model, tracksAllEndpoints);
  }

  take({ isRemoval, record }: Step): void {
    if (!isRemoval) this.model.upsert(feedOf(record), record);
    else this.model.remove(feedOf(record), record.kind === "Namespace" ? "" : record.namespace, record.name);
  }

  sendAll(applier: DeltaApplier): void {
    for (const delta of this.compiler.all()) applier.apply(delta);
    this.model.takeChanges();
  }

  sendChanges(applier: DeltaApplier): void {
    for (const delta of this.compiler.changes(this.model.takeChanges())) applier.apply(delta);
  }
}

/** The other end: a table and what changes it. */
class DnsSide {
  readonly table = new AnswerTable();
  readonly applier = new DeltaApplier(this.table);

  constructor() {
    const out = new DeltaWriter();
    for (const kind of KINDS) out.kindState(kind, true, true);
    this.applier.apply(out.take());
  }

  endAll(): void {
    const out = new DeltaWriter();
    out.endAll();
    this.applier.apply(out.take());
  }

  replies(tracksAllEndpoints: boolean): Uint8Array[] {
    return repliesOf(this.table, QUESTIONS, tracksAllEndpoints);
  }
}

function fromScratch(model: Model, tracksAllEndpoints: boolean): DnsSide {
  const dns = new DnsSide();
  for (const delta of new Compiler(model, tracksAllEndpoints).all()) dns.applier.apply(delta);
  return dns;
}

function assertSame(dns: DnsSide, model: Model, tracksAllEndpoints: boolean): void {
  const fresh = fromScratch(model, tracksAllEndpoints);
  const differences = differencesOf(
    QUESTIONS,
    dns.replies(tracksAllEndpoints),
    fresh.replies(tracksAllEndpoints),
  );
  assert.deepEqual(differences, []);
  assert.equal(dns.table.serviceCount, fresh.table.serviceCount);
  assert.equal(dns.table.endpointCount, fresh.table.endpointCount);
  assert.equal(dns.table.namespaces.count, fresh.table.namespaces.count);
}

test("a table that took changes one by one answers like one that was compiled at once", () => {
  fc.assert(
    fc.property(steps, fc.boolean(), (steps, tracksAllEndpoints) => {
      const sync = new SyncSide(tracksAllEndpoints);
      const dns = new DnsSide();
      steps.forEach((step, index) => {
        sync.take(step);
        // Now and then two events come in one flush.
        if (index % 5 !== 4) sync.sendChanges(dns.applier);
      });
      sync.sendChanges(dns.applier);
      assertSame(dns, sync.model, tracksAllEndpoints);
    }),
    { numRuns: 300 },
  );
});

test("what a second sync thread sends replaces what the first had sent, once it says that this is all", () => {
  fc.assert(
    fc.property(steps, steps, steps, (before, after, late) => {
      const first = new SyncSide(true);
      const dns = new DnsSide();
      for (const step of before) first.take(step);
      first.sendAll(dns.applier);
      dns.endAll();

      const second = new SyncSide(true);
      for (const step of after) second.take(step);
      second.sendAll(dns.applier);
      for (const step of late) {
        second.take(step);
        second.sendChanges(dns.applier);
      }
      dns.endAll();
      assertSame(dns, second.model, true);
    }),
    { numRuns: 150 },
  );
});

test("until then nothing that the first sync thread sent is forgotten", () => {
  fc.assert(
    fc.property(steps, steps, (before, after) => {
      const first = new SyncSide(true);
      const dns = new DnsSide();
      for (const step of before) first.take(step);
      first.sendAll(dns.applier);
      dns.endAll();

      const second = new SyncSide(true);
      for (const step of after) second.take(step);
      second.sendAll(dns.applier);

      // The union: what the second one has, and of the first what the second never heard of.
      const union = new SyncSide(true);
      for (const model of [first.model, second.model]) {
        for (const feed of ["namespaces", "services"] as const) {
          for (const record of model.exportFeed(feed).records()) union.take({ isRemoval: false, record });
        }
      }
      copySlices(
        first.model,
        union.model,
        ({ namespace, serviceName }) => second.model.service(namespace, serviceName) === undefined,
      );
      copySlices(
        second.model,
        union.model,
        ({ namespace, serviceName }) => second.model.service(namespace, serviceName) !== undefined,
      );
      assertSame(dns, union.model, true);
    }),
    { numRuns: 150 },
  );
});

/** Slices get other names on the way: those of two models must not replace each other. */
function copySlices(
  from: Model,
  to: Model,
  isWanted: (slice: { namespace: string; serviceName: string }) => boolean,
): void {
  for (const record of from.exportFeed("endpointslices").records()) {
    if (record.kind !== "EndpointSlice" || !isWanted(record)) continue;
    to.upsert("endpointslices", { ...record, name: `${record.serviceName}-${record.name}` });
  }
}
