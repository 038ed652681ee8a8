import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordBatch } from "../../../src/model/record-batch.ts";
import type { EndpointSliceRecord, ServiceRecord } from "../../../src/model/records.ts";

const SERVICE: ServiceRecord = {
  kind: "Service",
  namespace: "default",
  name: "web",
  type: "ClusterIP",
  clusterIPs: ["10.96.0.10", "fd00::10"],
  externalName: "",
  ports: [{ name: "http", protocol: "TCP", port: 80 }],
};
const SLICE: EndpointSliceRecord = {
  kind: "EndpointSlice",
  namespace: "default",
  name: "db-x7k2p",
  serviceName: "db",
  addressType: "IPv4",
  ports: [],
  endpoints: [
    { addresses: ["10.0.0.1"], hostname: "db-0", ready: true },
    { addresses: ["10.0.0.2", "10.0.0.3"], hostname: "", ready: false },
  ],
};

test("a batch gives back what was appended, in order", () => {
  const batch = new RecordBatch(0);
  batch.append({ kind: "Namespace", name: "default" });
  batch.append(SERVICE);
  batch.append(SLICE);
  assert.equal(batch.count, 3);
  assert.deepEqual([...batch.records()], [{ kind: "Namespace", name: "default" }, SERVICE, SLICE]);
});

test("a batch survives its bytes, and can be continued", () => {
  const batch = new RecordBatch();
  batch.append(SERVICE);
  const file = Uint8Array.of(1, 2, 3, ...batch.toBytes(), 4, 5, 6);
  const copy = RecordBatch.fromBytes(file.subarray(3, 3 + batch.sizeBytes));
  assert.equal(copy.count, 1);
  copy.append(SLICE);
  assert.deepEqual([...copy.records()], [SERVICE, SLICE]);
  assert.deepEqual([...file.subarray(-3)], [4, 5, 6], "the rest of the file's buffer is untouched");
});

const UNPACKABLE = [
  { name: "an IPv6 address in an IPv4 slice", address: "fd00::1", mentions: /fd00::1/ },
  { name: "a name in place of an address", address: "db.example.org", mentions: /db\.example\.org/ },
];
for (const { name, address, mentions } of UNPACKABLE) {
  test(`append() refuses ${name} and stays as it was`, () => {
    const batch = new RecordBatch();
    batch.append(SLICE);
    const endpoints = [{ addresses: [address], hostname: "", ready: true }];
    assert.throws(() => batch.append({ ...SLICE, endpoints }), { name: "RangeError", message: mentions });
    assert.deepEqual([...batch.records()], [SLICE]);
  });
}

test("append() refuses a port that is none", () => {
  const batch = new RecordBatch();
  const ports = [{ name: "", protocol: "TCP" as const, port: 65_536 }];
  assert.throws(() => batch.append({ ...SERVICE, ports }), { name: "RangeError", message: /65536/ });
});

test("a number in more octets than it needs is damage: equal records have equal octets", () => {
  const namespace = [0, 0, 1, 0x61];
  assert.equal(RecordBatch.fromBytes(Uint8Array.of(4, ...namespace)).count, 1);
  assert.throws(() => RecordBatch.fromBytes(Uint8Array.of(0x84, 0, ...namespace)), RangeError);
});

test("a count that promises more items than there are octets is damage, not an allocation", () => {
  // Service "", "" of type ClusterIP with 2^31 - 1 clusterIPs.
  const record = [1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x07];
  const bytes = Uint8Array.of(record.length, ...record);
  assert.throws(() => RecordBatch.fromBytes(bytes), RangeError);
});
