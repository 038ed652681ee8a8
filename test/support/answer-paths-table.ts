/** From Kubernetes objects to an answer table, by each of the ways that the product has. */
import { createHash } from "node:crypto";
import { AnswerTable } from "../../src/answers/answer-table.ts";
import { DeltaApplier } from "../../src/answers/apply-delta.ts";
import { Compiler } from "../../src/answers/compile.ts";
import { DeltaWriter } from "../../src/answers/delta.ts";
import type { Feed } from "../../src/model/feed.ts";
import { Model } from "../../src/model/model.ts";
import type { Kind, ModelRecord } from "../../src/model/records.ts";
import { KINDS } from "../../src/model/records.ts";
import { decodeSnapshot, encodeSnapshot } from "../../src/snapshot/snapshot-format.ts";
import {
  projectEndpointSlice,
  projectNamespace,
  projectService,
} from "../../src/sources/kubernetes/projection.ts";
import type { KubernetesObject } from "./cluster-builder.ts";
import { IDENTITY } from "./snapshots.ts";

/** What is known of a kind, in the words of the states: DESIGN's table has one column for "stale" and "restored". */
export type KindCondition = "fresh" | "stale" | "restored" | "never";
export type Conditions = Readonly<Record<Kind, KindCondition>>;

export const ALL_FRESH: Conditions = { Namespace: "fresh", Service: "fresh", EndpointSlice: "fresh" };
const PROJECTIONS = {
  Namespace: projectNamespace,
  Service: projectService,
  EndpointSlice: projectEndpointSlice,
} as const;
const FEED_OF = { Namespace: "namespaces", Service: "services", EndpointSlice: "endpointslices" } as const;

export function feedOf(record: ModelRecord): Feed {
  return FEED_OF[record.kind];
}

/** The records of the objects; those that projection skips or rejects have none. */
export function toRecords(objects: readonly KubernetesObject[]): ModelRecord[] {
  return objects.flatMap((object) => {
    const projection = PROJECTIONS[object.kind](object);
    return projection.outcome === "record" ? [projection.record] : [];
  });
}

export interface TableInput {
  readonly records: readonly ModelRecord[];
  readonly conditions: Conditions;
  readonly tracksAllEndpoints: boolean;
}

/** Everything at once, as after the first list. */
export function compiledTable({ records, conditions, tracksAllEndpoints }: TableInput): AnswerTable {
  const model = new Model();
  for (const record of records) model.upsert(feedOf(record), record);
  return tableOf(model, conditions, tracksAllEndpoints);
}

/**
 * One event at a time in random order, each applied before the next is made: as a watch delivers them. Some objects appear,
 * go and come again.
 */
export function patchedTable(input: TableInput, random: () => number): AnswerTable {
  const { records, conditions, tracksAllEndpoints } = input;
  const model = new Model();
  const compiler = new Compiler(model, tracksAllEndpoints);
  const table = new AnswerTable();
  const applier = new DeltaApplier(table);
  const applyChanges = (): void => {
    for (const delta of compiler.changes(model.takeChanges())) applier.apply(delta);
  };
  for (const record of shuffled(records, random)) {
    model.upsert(feedOf(record), record);
    applyChanges();
    if (random() < 0.7) continue;
    model.remove(feedOf(record), "namespace" in record ? record.namespace : "", record.name);
    applyChanges();
    model.upsert(feedOf(record), record);
    applyChanges();
  }
  applyConditions(applier, table, conditions);
  return table;
}

/** What a process holds that was started from the file of another one. */
export function restoredTable({ records, conditions, tracksAllEndpoints }: TableInput): AnswerTable {
  const before = new Model();
  for (const record of records) before.upsert(feedOf(record), record);
  const chunks = encodeSnapshot(
    {
      identity: IDENTITY,
      writtenAtWallMs: 0,
      feeds: KINDS.map((kind) => ({
        feed: FEED_OF[kind],
        resourceVersion: "7",
        complete: conditions[kind] !== "never",
        records: before.exportFeed(FEED_OF[kind]),
      })),
    },
    "0.0.0",
    sha256,
  );
  const decoded = decodeSnapshot(new Uint8Array(Buffer.concat(chunks)), sha256, "test");
  if (decoded.outcome !== "snapshot") throw new Error(`Cannot read the snapshot back: ${decoded.reason}`);
  const model = new Model();
  for (const { feed, records } of decoded.snapshot.feeds) model.replace(feed, records);
  return tableOf(model, conditions, tracksAllEndpoints);
}

function tableOf(model: Model, conditions: Conditions, tracksAllEndpoints: boolean): AnswerTable {
  const table = new AnswerTable();
  const applier = new DeltaApplier(table);
  for (const delta of new Compiler(model, tracksAllEndpoints).all()) applier.apply(delta);
  applyConditions(applier, table, conditions);
  return table;
}

function applyConditions(applier: DeltaApplier, table: AnswerTable, conditions: Conditions): void {
  const out = new DeltaWriter();
  out.serial(1_700_000_000);
  for (const kind of KINDS) {
    out.kindState(kind, conditions[kind] !== "never", conditions[kind] === "fresh");
  }
  applier.apply(out.take());
  table.staleText = new TextEncoder().encode(STALE_TEXT);
}

/** EXTRA-TEXT of stale answers in tests. */
export const STALE_TEXT = "state is 90 s old";

export function sha256(chunks: readonly Uint8Array[]): Uint8Array {
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest();
}

/** Fisher and Yates. */
function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other], result[last]];
  }
  return result;
}
