import type { Kind } from "../model/records.ts";
import type { ApiResource } from "./resources.ts";
import { RESOURCES } from "./resources.ts";
import type { KubernetesObject } from "./stored-object.ts";
import { objectKey, StoredObject } from "./stored-object.ts";
import { ChangeEvent } from "./watch-event.ts";

export interface ObjectStoreOptions {
  /** The revision of the empty store. A server that may restart starts above whatever it gave out before. */
  readonly firstRevision?: number;
  /** Changes kept per resource, for watches that resume and lists that continue; older ones answer 410. */
  readonly historyEvents?: number;
}

const DEFAULT_FIRST_REVISION = 1;
const DEFAULT_HISTORY_EVENTS = 2_000;

/** The objects that a list/watch server serves: one revision for all resources, as in etcd. */
export class ObjectStore {
  readonly #collections: ReadonlyMap<Kind, ResourceCollection>;
  readonly #listeners = new Set<() => void>();
  #revision: number;

  constructor(options: ObjectStoreOptions = {}) {
    this.#revision = options.firstRevision ?? DEFAULT_FIRST_REVISION;
    const historyEvents = options.historyEvents ?? DEFAULT_HISTORY_EVENTS;
    this.#collections = new Map(
      RESOURCES.map((resource) => [
        resource.kind,
        new ResourceCollection(resource, this.#revision, historyEvents),
      ]),
    );
  }

  /** The resourceVersion of the latest change. */
  get revision(): number {
    return this.#revision;
  }

  collection(kind: Kind): ResourceCollection {
    const collection = this.#collections.get(kind);
    if (collection === undefined) {
      const served = RESOURCES.map((resource) => resource.kind).join(", ");
      throw new TypeError(`Cannot store an object of kind ${kind}: served are ${served}`);
    }
    return collection;
  }

  /** Creates or replaces an object; its `metadata.resourceVersion` is the store's. An equal object is no change. */
  put(object: KubernetesObject): void {
    const collection = this.collection(object.kind);
    const stored = new StoredObject(collection.resource, object, this.#revision + 1);
    const before = collection.get(stored.namespace, stored.name);
    if (before?.sameContent(stored) === true) return;
    this.#commit(collection, before, stored);
  }

  /** @returns False when there is no such object. `namespace` is empty for a Namespace. */
  delete(kind: Kind, namespace: string, name: string): boolean {
    const collection = this.collection(kind);
    const before = collection.get(namespace, name);
    if (before === undefined) return false;
    this.#commit(collection, before, undefined);
    return true;
  }

  /** Calls back after every change. @returns Ends the subscription. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #commit(
    collection: ResourceCollection,
    before: StoredObject | undefined,
    after: StoredObject | undefined,
  ): void {
    this.#revision += 1;
    collection.commit(new ChangeEvent(this.#revision, before, after));
    for (const listener of this.#listeners) listener();
  }
}

/** The objects of one resource and its latest changes. Reading is for everyone, `commit` for the store alone. */
export class ResourceCollection {
  readonly resource: ApiResource;
  readonly #objects = new Map<string, StoredObject>();
  readonly #history: ChangeEvent[] = [];
  readonly #historyEvents: number;
  readonly #watchers = new Set<(event: ChangeEvent) => void>();
  #oldestRevision: number;

  constructor(resource: ApiResource, firstRevision: number, historyEvents: number) {
    this.resource = resource;
    this.#oldestRevision = firstRevision;
    this.#historyEvents = historyEvents;
  }

  /** The oldest revision whose state and following changes are still known. */
  get oldestRevision(): number {
    return this.#oldestRevision;
  }

  get(namespace: string, name: string): StoredObject | undefined {
    return this.#objects.get(objectKey(namespace, name));
  }

  /** The current objects in key order; the array is the caller's. */
  objects(): StoredObject[] {
    return inKeyOrder(this.#objects);
  }

  /** The objects as they were, by undoing what came after; undefined when the history does not reach back. */
  objectsAt(revision: number): StoredObject[] | undefined {
    if (revision < this.#oldestRevision) return undefined;
    const objects = new Map(this.#objects);
    for (const event of this.#history.toReversed()) {
      if (event.revision <= revision) break;
      if (event.before !== undefined) objects.set(event.before.key, event.before);
      else if (event.after !== undefined) objects.delete(event.after.key);
    }
    return inKeyOrder(objects);
  }

  /** Changes after `revision`, oldest first; undefined when the history does not reach back. */
  changesSince(revision: number): ChangeEvent[] | undefined {
    if (revision < this.#oldestRevision) return undefined;
    const first = this.#history.findLastIndex((event) => event.revision <= revision) + 1;
    return this.#history.slice(first);
  }

  /** Calls back with every change from now on. @returns Ends the subscription. */
  watch(watcher: (event: ChangeEvent) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  commit(event: ChangeEvent): void {
    if (event.after !== undefined) this.#objects.set(event.after.key, event.after);
    else if (event.before !== undefined) this.#objects.delete(event.before.key);
    this.#history.push(event);
    if (this.#history.length > this.#historyEvents) {
      const forgotten = this.#history.shift();
      if (forgotten !== undefined) this.#oldestRevision = forgotten.revision;
    }
    for (const watcher of this.#watchers) watcher(event);
  }
}

function inKeyOrder(objects: ReadonlyMap<string, StoredObject>): StoredObject[] {
  // Code unit order: locale-aware comparison is 20 times slower and not the order of etcd.
  return [...objects.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
}
