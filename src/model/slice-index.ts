import { IdTable } from "./id-table.ts";
import { stringEnd } from "./packed-record.ts";
import { doubled, hashOf, HASH_START, isEqual } from "./record-store.ts";
import type { RecordStore } from "./record-store.ts";

const NONE = -1;
const INITIAL_RECORDS = 64;

/**
 * Which EndpointSlices belong to a Service: for each (namespace, service name) a chain of ids through `#next`. The names are
 * read from the records themselves, so that the index costs 12 octets a slice.
 */
export class SliceIndex {
  readonly #slices: RecordStore;
  readonly #heads = new IdTable();
  #next = new Int32Array(INITIAL_RECORDS).fill(NONE);

  constructor(slices: RecordStore) {
    this.#slices = slices;
  }

  /** Call after the record is in the store. */
  link(id: number): void {
    while (id >= this.#next.length) this.#next = doubled(this.#next, Int32Array);
    const hash = this.#hashOf(id);
    const head = this.#heads.find(hash, (other) => this.#isSameService(other, id));
    this.#next[id] = head;
    if (head === NONE) this.#heads.add(hash, id);
    else this.#heads.replace(hash, head, id);
  }

  /** Call while the store still has the record as it was linked. */
  unlink(id: number): void {
    const hash = this.#hashOf(id);
    const head = this.#heads.find(hash, (other) => this.#isSameService(other, id));
    const following = this.#next[id];
    if (head !== id) this.#next[this.#before(id, head)] = following;
    else if (following === NONE) this.#heads.remove(hash, id);
    else this.#heads.replace(hash, id, following);
    this.#next[id] = NONE;
  }

  /**
   * Ids of the slices of a Service, in no order.
   * @param key  Packed namespace and service name (`packKey`).
   */
  ids(key: Uint8Array): number[] {
    const nameAt = stringEnd(key, 0);
    const end = stringEnd(key, nameAt);
    const hash = hashOf(key, 0, end, HASH_START);
    const ids: number[] = [];
    let id = this.#heads.find(hash, (other) => this.#isService(other, key, 0, nameAt));
    for (; id !== NONE; id = this.#next[id]) ids.push(id);
    return ids;
  }

  #before(id: number, head: number): number {
    let before = head;
    while (this.#next[before] !== id) before = this.#next[before];
    return before;
  }

  #isSameService(other: number, id: number): boolean {
    const { bytes } = this.#slices;
    const namespaceAt = this.#slices.at(id) + 1;
    return this.#isService(other, bytes, namespaceAt, this.#serviceNameAt(id));
  }

  #isService(id: number, bytes: Uint8Array, namespaceAt: number, nameAt: number): boolean {
    const slab = this.#slices.bytes;
    return (
      isEqual(slab, this.#slices.at(id) + 1, bytes, namespaceAt, stringEnd(bytes, namespaceAt)) &&
      isEqual(slab, this.#serviceNameAt(id), bytes, nameAt, stringEnd(bytes, nameAt))
    );
  }

  #hashOf(id: number): number {
    const { bytes } = this.#slices;
    const namespaceAt = this.#slices.at(id) + 1;
    const nameAt = this.#serviceNameAt(id);
    const hash = hashOf(bytes, namespaceAt, stringEnd(bytes, namespaceAt), HASH_START);
    return hashOf(bytes, nameAt, stringEnd(bytes, nameAt), hash);
  }

  /** Layout of a packed EndpointSlice: kind, namespace, name, serviceName. */
  #serviceNameAt(id: number): number {
    const { bytes } = this.#slices;
    return stringEnd(bytes, stringEnd(bytes, this.#slices.at(id) + 1));
  }
}
