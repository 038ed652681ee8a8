import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordBatch } from "../../../src/model/record-batch.ts";
import { isAhead } from "../../../src/snapshot/snapshot-order.ts";
import type { Snapshot } from "../../../src/snapshot/snapshot.ts";
import { IDENTITY } from "../../support/snapshots.ts";

/** A snapshot with these resourceVersions for namespaces and services; `-` at the end of one: not complete. */
function snapshot(resourceVersions: readonly string[], identity = IDENTITY): Snapshot {
  const feeds = (["namespaces", "services"] as const)
    .slice(0, resourceVersions.length)
    .map((feed, index) => ({
      feed,
      resourceVersion: resourceVersions[index].replace("-", ""),
      complete: !resourceVersions[index].endsWith("-"),
      records: new RecordBatch(),
    }));
  return { identity, writtenAtWallMs: 0, feeds };
}

const OTHER = { ...IDENTITY, clusterUid: "uid-2" };
const ROWS = [
  { name: "later in every feed", other: snapshot(["6", "7"]), ours: snapshot(["5", "6"]), ahead: true },
  {
    name: "later in one, equal in the other",
    other: snapshot(["5", "7"]),
    ours: snapshot(["5", "6"]),
    ahead: true,
  },
  { name: "equal", other: snapshot(["5", "6"]), ours: snapshot(["5", "6"]), ahead: false },
  {
    name: "later in one, earlier in the other",
    other: snapshot(["9", "5"]),
    ours: snapshot(["5", "6"]),
    ahead: false,
  },
  { name: "more digits", other: snapshot(["10", "10"]), ours: snapshot(["9", "9"]), ahead: true },
  {
    name: "beyond 2^53",
    other: snapshot(["9007199254740993", "1"]),
    ours: snapshot(["9007199254740992", "1"]),
    ahead: true,
  },
  { name: "without one of our feeds", other: snapshot(["9"]), ours: snapshot(["5", "6"]), ahead: false },
  {
    name: "not complete where ours is",
    other: snapshot(["9", "9-"]),
    ours: snapshot(["5", "6"]),
    ahead: false,
  },
  { name: "of manifests", other: snapshot(["", ""]), ours: snapshot(["", ""]), ahead: false },
  {
    name: "of another cluster",
    other: snapshot(["9", "9"], OTHER),
    ours: snapshot(["5", "6"]),
    ahead: false,
  },
];
for (const { name, other, ours, ahead } of ROWS) {
  test(`a snapshot that is ${name} is ${ahead ? "" : "not "}ahead`, () =>
    assert.equal(isAhead(other, ours), ahead));
}
