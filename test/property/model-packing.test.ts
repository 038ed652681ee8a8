import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ByteWriter } from "../../src/model/byte-writer.ts";
import { checkRecord, packRecord, unpackRecord } from "../../src/model/packed-record.ts";
import { RecordBatch } from "../../src/model/record-batch.ts";
import type { ModelRecord } from "../../src/model/records.ts";
import { modelRecords } from "../support/record-arbitraries.ts";

function packed(record: ModelRecord): Uint8Array {
  const writer = new ByteWriter();
  packRecord(record, writer);
  return writer.bytes.slice(0, writer.length);
}

test("unpacking gives the packed record", () => {
  fc.assert(
    fc.property(modelRecords, (record) => {
      const bytes = packed(record);
      checkRecord(bytes, 0, bytes.length);
      assert.deepEqual(unpackRecord(bytes, 0, bytes.length), record);
    }),
    { numRuns: 500 },
  );
});

test("equal records have equal bytes, and different ones different bytes", () => {
  fc.assert(
    fc.property(modelRecords, modelRecords, (left, right) => {
      const isEqual = JSON.stringify(left) === JSON.stringify(right);
      assert.equal(Buffer.compare(packed(left), packed(right)) === 0, isEqual);
      assert.deepEqual(packed(structuredClone(left)), packed(left));
    }),
    { numRuns: 500 },
  );
});

/** Octets near a real record: random ones rarely pass the first field. */
const damagedRecords = fc
  .tuple(modelRecords, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }), fc.nat())
  .map(([record, flips, cut]) => {
    const bytes = packed(record);
    for (const [at, value] of flips) bytes[at % bytes.length] = value;
    return bytes.slice(0, bytes.length - (cut % 3));
  });

test("damaged octets give a RangeError or a record; check and unpack agree", () => {
  fc.assert(
    fc.property(fc.oneof(damagedRecords, fc.uint8Array({ maxLength: 60 })), (bytes) => {
      const check = outcomeOf(() => checkRecord(bytes, 0, bytes.length));
      const unpack = outcomeOf(() => unpackRecord(bytes, 0, bytes.length));
      assert.equal(unpack, check);
    }),
    { numRuns: 3000 },
  );
});

test("a batch read from damaged octets throws RangeError or can be read to its end", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const outcome = outcomeOf(() => {
        assert.equal([...RecordBatch.fromBytes(bytes).records()].length, RecordBatch.fromBytes(bytes).count);
      });
      assert.match(outcome, /^(fine|RangeError)$/);
    }),
    { numRuns: 2000 },
  );
});

function outcomeOf(run: () => unknown): string {
  try {
    run();
    return "fine";
  } catch (error) {
    assert.ok(error instanceof RangeError, String(error));
    return "RangeError";
  }
}
