import assert from "node:assert/strict";
import { test } from "node:test";
import { AnswerTable } from "../../../src/answers/answer-table.ts";
import { DeltaApplier } from "../../../src/answers/apply-delta.ts";
import { BlockWriter } from "../../../src/answers/block-writer.ts";
import { Compiler } from "../../../src/answers/compile.ts";
import { compileClusterIpService } from "../../../src/answers/compile-cluster-ip.ts";
import { compileService } from "../../../src/answers/compile-service.ts";
import { DeltaWriter } from "../../../src/answers/delta.ts";
import { hashAddress } from "../../../src/answers/address-index.ts";
import { formatIpAddress, parseIpAddress } from "../../../src/model/ip-address.ts";
import { Model } from "../../../src/model/model.ts";
import { PackedService } from "../../../src/model/packed-service.ts";
import type { EndpointSliceRecord, ServiceRecord } from "../../../src/model/records.ts";
import { describeReply, parseReply } from "../../support/answer-paths-message.ts";
import { chooseSeed, seededRandom } from "../../support/answer-paths-random.ts";
import { differencesOf, questionsOf, repliesOf } from "../../support/answer-paths-questions.ts";

const SERVICES = Array.from({ length: 200 }, (_, index) => `s${index}`);

function headlessRecord(name: string): ServiceRecord {
  return {
    kind: "Service",
    namespace: "n",
    name,
    type: "Headless",
    clusterIPs: [],
    externalName: "",
    ports: [],
  };
}

function sliceOf(serviceName: string, endpointCount: number, from: number): EndpointSliceRecord {
  return {
    kind: "EndpointSlice",
    namespace: "n",
    name: `${serviceName}-1`,
    serviceName,
    addressType: "IPv4",
    ports: [{ name: "p", protocol: "TCP", port: 80 }],
    endpoints: Array.from({ length: endpointCount }, (_, index) => ({
      addresses: [`10.${(from + index) & 7}.${(index >> 8) & 255}.${index & 255}`],
      hostname: "",
      ready: true,
    })),
  };
}

test("churn of large Services leaves the answers of a fresh table, in memory that does not grow", (t) => {
  const seed = chooseSeed();
  t.diagnostic(`SEED=${seed}`);
  const random = seededRandom(seed);
  const model = new Model();
  const compiler = new Compiler(model, true);
  const table = new AnswerTable();
  const applier = new DeltaApplier(table);
  for (let step = 0; step < 3000; step++) {
    const name = SERVICES[Math.floor(random() * SERVICES.length)];
    if (random() < 0.2) model.remove("services", "n", name);
    else {
      model.upsert("services", headlessRecord(name));
      model.upsert("endpointslices", sliceOf(name, Math.floor(random() * 700), Math.floor(random() * 8)));
    }
    for (const delta of compiler.changes(model.takeChanges())) applier.apply(delta);
  }
  const fresh = new AnswerTable();
  const freshApplier = new DeltaApplier(fresh);
  for (const delta of new Compiler(model, true).all()) freshApplier.apply(delta);

  const questions = questionsOf({
    namespaces: ["n"],
    services: SERVICES,
    below: ["10-0-0-1", "10-3-1-77"],
    reverseNames: ["1.0.0.10.in-addr.arpa", "9.1.5.10.in-addr.arpa"],
  });
  assert.deepEqual(
    differencesOf(questions, repliesOf(table, questions, true), repliesOf(fresh, questions, true)),
    [],
  );
  assert.equal(table.serviceCount, fresh.serviceCount);
  assert.equal(table.endpointCount, fresh.endpointCount);
  assert.ok(table.sizeBytes < 4 * fresh.sizeBytes, `${table.sizeBytes} octets, ${fresh.sizeBytes} needed`);
});

test("a Service larger than a page is answered, and its memory is given back", () => {
  const model = new Model();
  const compiler = new Compiler(model, true);
  const table = new AnswerTable();
  const applier = new DeltaApplier(table);
  const apply = (): void => {
    for (const delta of compiler.changes(model.takeChanges())) applier.apply(delta);
  };
  model.upsert("services", headlessRecord("small"));
  model.upsert("endpointslices", sliceOf("small", 3, 0));
  apply();
  const before = table.sizeBytes;
  model.upsert("services", headlessRecord("huge"));
  model.upsert("endpointslices", sliceOf("huge", 60_000, 0));
  apply();
  assert.equal(table.endpointCount, 60_003);
  model.remove("services", "n", "huge");
  apply();
  assert.deepEqual([table.endpointCount, table.serviceCount, table.sizeBytes], [3, 1, before]);
});

/** Two IPv6 addresses that one hash stands for; the index then finds both. */
function collidingAddresses(): [string, string] {
  const seen = new Map<number, string>();
  const bytes = new Uint8Array(16).fill(0xfd, 0, 1);
  for (let number = 1; ; number++) {
    new DataView(bytes.buffer).setUint32(8, Math.imul(number, 0x9e3779b1));
    new DataView(bytes.buffer).setUint32(12, number);
    const address = formatIpAddress(bytes, 0, 16);
    const hash = hashAddress(bytes, 0, 16);
    const other = seen.get(hash);
    if (other !== undefined) return [other, address];
    seen.set(hash, address);
  }
}

function reverseName(address: string): string {
  const digits = Buffer.from(parseIpAddress(address)!).toString("hex");
  return `${digits.split("").toReversed().join(".")}.ip6.arpa`;
}

test("addresses whose hashes are equal have their own PTR records", () => {
  const addresses = collidingAddresses();
  const model = new Model();
  addresses.forEach((address, index) => {
    model.upsert("services", { ...headlessRecord(`s${index}`), type: "ClusterIP", clusterIPs: [address] });
  });
  const table = new AnswerTable();
  const applier = new DeltaApplier(table);
  for (const delta of new Compiler(model, true).all()) applier.apply(delta);
  const questions = questionsOf({
    namespaces: [],
    services: [],
    below: [],
    reverseNames: addresses.map(reverseName),
  });
  const targets = repliesOf(table, questions, true).map((reply) =>
    describeReply(parseReply(reply)).answer.map((record) => record.split(" ").at(-1)),
  );
  assert.deepEqual(targets, [["s0.n.svc.cluster.local."], ["s1.n.svc.cluster.local."]]);
});

test("serials never go back, whatever a second sync thread says", () => {
  const table = new AnswerTable();
  const applier = new DeltaApplier(table);
  for (const serial of [7, 3_000_000_000, 5]) {
    const out = new DeltaWriter();
    out.serial(serial);
    applier.apply(out.take());
  }
  assert.equal(table.serial, 3_000_000_000);
});

test("a kind that was complete once stays complete, and is fresh only while it is", () => {
  const table = new AnswerTable();
  const applier = new DeltaApplier(table);
  const states: number[][] = [];
  for (const [isComplete, isFresh] of [
    [true, true],
    [true, false],
    [false, false],
  ]) {
    const out = new DeltaWriter();
    out.kindState("Service", isComplete, isFresh);
    applier.apply(out.take());
    states.push([table.completeMask, table.freshMask]);
  }
  assert.deepEqual(states, [
    [2, 2],
    [2, 0],
    [2, 0],
  ]);
});

test("an operation that no version writes is refused", () => {
  assert.throws(() => new DeltaApplier(new AnswerTable()).apply(Uint8Array.of(99)), RangeError);
});

test("an equal Service put again changes nothing", () => {
  const model = new Model();
  model.upsert("services", headlessRecord("a"));
  model.upsert("endpointslices", sliceOf("a", 5, 0));
  const table = new AnswerTable();
  const applier = new DeltaApplier(table);
  for (let round = 0; round < 3; round++) {
    for (const delta of new Compiler(model, true).all()) applier.apply(delta);
  }
  assert.deepEqual([table.serviceCount, table.endpointCount], [1, 5]);
});

test("more than 255 ports: the first 255 are kept", () => {
  const ports = Array.from({ length: 300 }, (_, index) => ({
    name: `p${index}`,
    protocol: "TCP" as const,
    port: index + 1,
  }));
  const record: ServiceRecord = {
    ...headlessRecord("many"),
    type: "ClusterIP",
    clusterIPs: ["10.0.0.1"],
    ports,
  };
  for (const tracksAllEndpoints of [true, false]) {
    const model = new Model();
    model.upsert("services", record);
    const table = new AnswerTable();
    const applier = new DeltaApplier(table);
    for (const delta of new Compiler(model, tracksAllEndpoints).all()) applier.apply(delta);
    const questions = questionsOf({
      namespaces: ["n"],
      services: ["many"],
      below: ["_p0._tcp", "_p254._tcp", "_p255._tcp"],
      reverseNames: [],
    });
    const found = repliesOf(table, questions, tracksAllEndpoints)
      .map((reply, index) => ({ ...questions[index], answers: reply[7] }))
      .filter(({ query }) => query.includes("_p") && query.endsWith("SRV"));
    assert.deepEqual(
      found.map(({ answers }) => answers),
      [1, 1, 0],
    );
  }
});

test("the two compilers of ClusterIP Services write the same octets", () => {
  const services: ServiceRecord[] = [
    { ...headlessRecord("none"), type: "ClusterIP" },
    { ...headlessRecord("one"), type: "ClusterIP", clusterIPs: ["10.0.0.1"] },
    {
      ...headlessRecord("dual"),
      type: "ClusterIP",
      clusterIPs: ["fd00::1", "10.0.0.2", "fd00::2"],
      ports: [
        { name: "dns", protocol: "UDP", port: 53 },
        { name: "", protocol: "TCP", port: 53 },
        { name: "assoc", protocol: "SCTP", port: 9 },
        { name: "all", protocol: "TCP", port: 0 },
      ],
    },
  ];
  const model = new Model();
  for (const record of services) model.upsert("services", record);
  for (const record of services) {
    const packed = new PackedService();
    assert.ok(model.bindService(record.namespace, record.name, packed));
    const fromPacked = new BlockWriter();
    compileClusterIpService(packed, fromPacked);
    const fromRecord = new BlockWriter();
    compileService(record, [], fromRecord);
    assert.deepEqual(fromPacked.take(), fromRecord.take(), record.name);
  }
});
