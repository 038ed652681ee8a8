import { ByteWriter } from "./byte-writer.ts";
import { FEEDS, kindOfFeed } from "./feed.ts";
import type { Feed } from "./feed.ts";
import { ModelChangeSet } from "./model-changes.ts";
import type { ModelChanges } from "./model-changes.ts";
import { keyOf, kindAt, packKey, packRecord, serviceKeyOf, unpackRecord } from "./packed-record.ts";
import type { ObjectKey } from "./packed-record.ts";
import type { PackedService } from "./packed-service.ts";
import { RecordBatch } from "./record-batch.ts";
import type { Span } from "./record-batch.ts";
import { RecordStore } from "./record-store.ts";
import type { EndpointSliceRecord, Kind, ModelRecord, ServiceRecord } from "./records.ts";
import { SliceIndex } from "./slice-index.ts";

/**
 * Everything that is true in the cluster, merged from the feeds, and which Services and Namespaces changed since the last look.
 *
 * It depends on nothing but the calls made: the same facts in any order give the same content. References may dangle (a
 * slice whose Service is unknown), repeats are no change. An object that moved between feeds of a kind belongs to the feed that
 * reported it last: a headless Service that gets its label later leaves one watch and enters another, and the late "removed"
 * of the first must not take it away.
 */
export class Model {
  readonly #stores: Readonly<Record<Kind, RecordStore>> = {
    Namespace: new RecordStore(),
    Service: new RecordStore(),
    EndpointSlice: new RecordStore(),
  };
  readonly #slicesByService = new SliceIndex(this.#stores.EndpointSlice);
  readonly #countByFeed = new Uint32Array(FEEDS.length);
  readonly #changes = new ModelChangeSet();
  readonly #scratch = new ByteWriter();
  #isRestoring = false;

  /**
   * Makes the batch what the feed holds, but for the objects that it says to keep; only differences count as changes. On an
   * empty model this restores a snapshot.
   * @throws TypeError if the batch has a record of another kind than the feed's; the model is as before.
   */
  replace(feed: Feed, batch: RecordBatch): void {
    const kind = kindOfFeed(feed);
    const bytes = batch.toBytes();
    for (const { at } of batch.spans()) requireKind(feed, kind, kindAt(bytes, at));
    const store = this.#stores[kind];
    const owner = FEEDS.indexOf(feed);
    const isListed = new Uint8Array(store.idLimit);
    for (const span of batch.spans()) {
      const id = this.#put(kind, owner, bytes, span);
      if (id < isListed.length) isListed[id] = 1;
    }
    for (const { namespace, name } of batch.kept) {
      const id = this.#find(store, namespace, name);
      if (id >= 0 && id < isListed.length) isListed[id] = 1;
    }
    for (let id = 0; id < isListed.length; id++) {
      if (isListed[id] === 0 && store.has(id) && store.owner(id) === owner) this.#remove(kind, id);
    }
  }

  /** `replace`, of which `takeChanges` says nothing: what a snapshot held is compiled as a whole. */
  restore(feed: Feed, batch: RecordBatch): void {
    const kind = kindOfFeed(feed);
    this.#isRestoring = true;
    // The keys of one feed are distinct: in an empty store nothing has to be looked for.
    if (this.#stores[kind].count === 0) this.#addAll(kind, FEEDS.indexOf(feed), batch);
    else this.replace(feed, batch);
    this.#isRestoring = false;
  }

  /** @throws TypeError if the record is not of the feed's kind, RangeError if it cannot be packed; the model is as before. */
  upsert(feed: Feed, record: ModelRecord): void {
    const kind = kindOfFeed(feed);
    requireKind(feed, kind, record.kind);
    this.#scratch.length = 0;
    packRecord(record, this.#scratch);
    this.#put(kind, FEEDS.indexOf(feed), this.#scratch.bytes, { at: 0, end: this.#scratch.length });
  }

  /** Nothing happens if the object is unknown or belongs to another feed by now. `namespace` is empty for a Namespace. */
  remove(feed: Feed, namespace: string, name: string): void {
    const kind = kindOfFeed(feed);
    const store = this.#stores[kind];
    const id = this.#find(store, namespace, name);
    if (id >= 0 && store.owner(id) === FEEDS.indexOf(feed)) this.#remove(kind, id);
  }

  /** Removes everything that a feed holds: one that is no longer configured. */
  dropFeed(feed: Feed): void {
    this.replace(feed, new RecordBatch(0));
  }

  /** What changed since the last call, each once, in no order. An EndpointSlice counts as a change of its Service. */
  takeChanges(): ModelChanges {
    return this.#changes.take();
  }

  hasNamespace(name: string): boolean {
    return this.#find(this.#stores.Namespace, "", name) >= 0;
  }

  service(namespace: string, name: string): ServiceRecord | undefined {
    const store = this.#stores.Service;
    const id = this.#find(store, namespace, name);
    return id < 0 ? undefined : (unpackRecord(store.bytes, store.at(id), store.end(id)) as ServiceRecord);
  }

  /** Points `packed` at a Service; valid until the model changes. @returns false where there is none. */
  bindService(namespace: string, name: string, packed: PackedService): boolean {
    return this.bindServiceId(this.#find(this.#stores.Service, namespace, name), packed);
  }

  /** The same by an id of `serviceIds`, which another Service may have by now. */
  bindServiceId(id: number, packed: PackedService): boolean {
    const store = this.#stores.Service;
    if (id < 0 || !store.has(id)) return false;
    packed.bind(store.bytes, store.at(id));
    return true;
  }

  /** Every Service there is now, for `bindServiceId`. */
  serviceIds(): Uint32Array {
    const store = this.#stores.Service;
    const ids = new Uint32Array(store.count);
    let count = 0;
    for (let id = 0; id < store.idLimit; id++) if (store.has(id)) ids[count++] = id;
    return ids;
  }

  /** The slices whose label names this Service, whether it exists or not; sorted by name. */
  slicesOf(namespace: string, serviceName: string): EndpointSliceRecord[] {
    const store = this.#stores.EndpointSlice;
    return this.#slicesByService
      .ids(this.#packedKey(namespace, serviceName))
      .map((id) => unpackRecord(store.bytes, store.at(id), store.end(id)) as EndpointSliceRecord)
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** The model must not change while this is read. */
  *namespaces(): IterableIterator<string> {
    for (const { name } of keysIn(this.#stores.Namespace)) yield name;
  }

  /** Services themselves, not names that only slices mention. The model must not change while this is read. */
  services(): IterableIterator<ObjectKey> {
    return keysIn(this.#stores.Service);
  }

  count(kind: Kind): number {
    return this.#stores[kind].count;
  }

  countOfFeed(feed: Feed): number {
    return this.#countByFeed[FEEDS.indexOf(feed)];
  }

  /** A copy of what a feed holds, which later changes do not touch. */
  exportFeed(feed: Feed): RecordBatch {
    return this.#stores[kindOfFeed(feed)].export(FEEDS.indexOf(feed));
  }

  #addAll(kind: Kind, owner: number, batch: RecordBatch): void {
    const bytes = batch.toBytes();
    const store = this.#stores[kind];
    for (const { at, end } of batch.spans()) this.#added(kind, store.add(bytes, at, end, owner));
  }

  /** Returns the id. */
  #put(kind: Kind, owner: number, bytes: Uint8Array, { at, end }: Readonly<Span>): number {
    const store = this.#stores[kind];
    const id = store.find(bytes, at + 1);
    if (id < 0) return this.#added(kind, store.add(bytes, at, end, owner));
    if (store.owner(id) !== owner) {
      this.#countByFeed[store.owner(id)]--;
      this.#countByFeed[owner]++;
      store.setOwner(id, owner);
    }
    if (store.isEqual(id, bytes, at, end)) return id;
    // A slice may have changed its Service: both, the old and the new, see a change.
    this.#noteChange(kind, id);
    if (kind === "EndpointSlice") this.#slicesByService.unlink(id);
    store.overwrite(id, bytes, at, end);
    if (kind === "EndpointSlice") this.#slicesByService.link(id);
    this.#noteChange(kind, id);
    return id;
  }

  #added(kind: Kind, id: number): number {
    this.#countByFeed[this.#stores[kind].owner(id)]++;
    if (kind === "EndpointSlice") this.#slicesByService.link(id);
    this.#noteChange(kind, id);
    return id;
  }

  #remove(kind: Kind, id: number): void {
    const store = this.#stores[kind];
    this.#noteChange(kind, id);
    if (kind === "EndpointSlice") this.#slicesByService.unlink(id);
    this.#countByFeed[store.owner(id)]--;
    store.remove(id);
  }

  #noteChange(kind: Kind, id: number): void {
    if (this.#isRestoring) return;
    const store = this.#stores[kind];
    const { bytes } = store;
    if (kind === "Namespace") this.#changes.addNamespace(keyOf(bytes, store.at(id), store.end(id)).name);
    else if (kind === "Service") this.#changes.addService(keyOf(bytes, store.at(id), store.end(id)));
    else this.#changes.addService(serviceKeyOf(bytes, store.at(id), store.end(id)));
  }

  #find(store: RecordStore, namespace: string, name: string): number {
    return store.find(this.#packedKey(namespace, name), 0);
  }

  /** Valid until the next call. */
  #packedKey(namespace: string, name: string): Uint8Array {
    this.#scratch.length = 0;
    packKey(namespace, name, this.#scratch);
    return this.#scratch.bytes;
  }
}

function* keysIn(store: RecordStore): IterableIterator<ObjectKey> {
  for (let id = 0; id < store.idLimit; id++) {
    if (store.has(id)) yield keyOf(store.bytes, store.at(id), store.end(id));
  }
}

function requireKind(feed: Feed, expected: Kind, kind: Kind): void {
  if (kind !== expected)
    throw new TypeError(`Cannot keep a ${kind} in feed ${feed}: it holds ${expected} objects`);
}
