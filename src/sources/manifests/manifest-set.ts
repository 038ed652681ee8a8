import type { Feed } from "../../model/feed.ts";
import { RecordBatch } from "../../model/record-batch.ts";
import type { Kind, ModelRecord, RecordRef } from "../../model/records.ts";
import { nameOf, readObject } from "./manifest-objects.ts";
import type { Rejection } from "./manifest-objects.ts";
import type { ParsedFile } from "./manifest-parser.ts";

/** Feeds of this source: every slice given is served, so there is only one feed of them. */
export const MANIFEST_FEEDS = ["namespaces", "services", "endpointslices"] as const satisfies readonly Feed[];
export type ManifestFeed = (typeof MANIFEST_FEEDS)[number];

const FEED_OF: Readonly<Record<Kind, ManifestFeed>> = {
  Namespace: "namespaces",
  Service: "services",
  EndpointSlice: "endpointslices",
};

/** One file as it counts now. */
interface FileContent {
  readonly records: RecordBatch;
  /** Where each record stands, in the order of `records`. */
  readonly places: readonly string[];
  /** Objects whose last readable version stays in force. */
  readonly kept: readonly RecordRef[];
}

export interface ManifestLists {
  readonly batches: Readonly<Record<ManifestFeed, RecordBatch>>;
  /** Objects that stand in more than one place; reported once each. */
  readonly duplicates: readonly Rejection[];
}

/** The objects of all files: what each file says, and what all say together. */
export class ManifestSet {
  readonly #files = new Map<string, FileContent>();
  /** Duplicates that were reported. */
  #duplicates = new Set<string>();

  /** Whether the file has, or keeps, any object. */
  hasObjects(name: string): boolean {
    const file = this.#files.get(name);
    return file !== undefined && file.records.count + file.kept.length > 0;
  }

  /** Takes a new version of a file. Returns what was wrong in it. */
  put(name: string, parsed: ParsedFile): readonly Rejection[] {
    const rejections: Rejection[] = parsed.problems.map((problem) => ({ feed: "services", ...problem }));
    const records = new RecordBatch();
    const places: string[] = [];
    const kept = new Map<string, RecordRef>();
    let isBroken = parsed.problems.length > 0;
    for (const object of parsed.objects) {
      const read = readObject(object);
      rejections.push(...read.rejections);
      isBroken ||= read.isUnidentified;
      if (read.kept !== undefined) kept.set(keyOf(read.kept), read.kept);
      if (read.record === undefined) continue;
      records.append(read.record);
      places.push(object.where);
    }
    // Which objects the unreadable part would have had, nobody knows: all that the file had stay.
    if (isBroken) for (const ref of this.#objectsOf(name)) kept.set(keyOf(ref), ref);
    this.#files.set(name, { records, places, kept: [...kept.values()] });
    return rejections;
  }

  remove(name: string): void {
    this.#files.delete(name);
  }

  /** The complete lists, one per feed; of an object in several places, the first by file name and position counts. */
  build(): ManifestLists {
    const batches = {
      namespaces: new RecordBatch(),
      services: new RecordBatch(),
      endpointslices: new RecordBatch(),
    };
    const firstPlaces = new Map<string, string>();
    const namespaces = new Set<string>();
    const found: Rejection[] = [];
    for (const [, file] of this.#inOrder()) {
      let index = 0;
      for (const record of file.records.records()) {
        const where = file.places[index++];
        const key = keyOf(record);
        const first = firstPlaces.get(key);
        if (first !== undefined) found.push(duplicateOf(record, where, first));
        else {
          firstPlaces.set(key, where);
          add(record, batches, namespaces);
        }
      }
    }
    for (const [, file] of this.#inOrder()) {
      for (const ref of file.kept) {
        if (!firstPlaces.has(keyOf(ref))) batches[FEED_OF[ref.kind]].keep(ref.namespace, ref.name);
        if (ref.namespace !== "") batches.namespaces.keep("", ref.namespace);
      }
    }
    for (const name of namespaces) batches.namespaces.append({ kind: "Namespace", name });
    return { batches, duplicates: this.#unreported(found) };
  }

  #inOrder(): [string, FileContent][] {
    return [...this.#files].sort(([left], [right]) => (left < right ? -1 : 1));
  }

  *#objectsOf(name: string): IterableIterator<RecordRef> {
    const file = this.#files.get(name);
    if (file === undefined) return;
    yield* file.kept;
    for (const record of file.records.records()) yield refOf(record);
  }

  #unreported(found: readonly Rejection[]): Rejection[] {
    const before = this.#duplicates;
    this.#duplicates = new Set(found.map(({ where, reason }) => `${where} ${reason}`));
    return found.filter(({ where, reason }) => !before.has(`${where} ${reason}`));
  }
}

/** A Namespace exists as soon as something is in it. */
function add(record: ModelRecord, batches: ManifestLists["batches"], namespaces: Set<string>): void {
  if (record.kind === "Namespace") namespaces.add(record.name);
  else {
    namespaces.add(record.namespace);
    batches[FEED_OF[record.kind]].append(record);
  }
}

function duplicateOf(record: ModelRecord, where: string, first: string): Rejection {
  const feed = FEED_OF[record.kind];
  return { feed, where, reason: `${record.kind} ${nameOf(record)} is in ${first} already, which counts` };
}

function refOf(record: ModelRecord): RecordRef {
  const namespace = record.kind === "Namespace" ? "" : record.namespace;
  return { kind: record.kind, namespace, name: record.name };
}

/** Names are DNS labels and subdomains by now: no slash in them. */
function keyOf(record: ModelRecord | RecordRef): string {
  return `${record.kind} ${nameOf(record)}`;
}
