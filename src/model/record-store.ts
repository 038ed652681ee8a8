import { grown, varintBytes, writeVarint } from "./byte-writer.ts";
import { IdTable } from "./id-table.ts";
import { stringEnd } from "./packed-record.ts";
import { RecordBatch } from "./record-batch.ts";

const INITIAL_SLAB_BYTES = 4096;
const INITIAL_RECORDS = 64;
/** Growth of the slab; less than doubling, because the slack may stay for the life of the process. */
const SLAB_GROWTH = 1.5;
/** Below this, holes are not worth moving records for. */
const MIN_WASTE_BYTES = 16 * 1024;

/**
 * Packed records of one kind, in one slab, found by namespace and name. There is no object and no string per record: an id is
 * an index into a few typed arrays, valid until `remove`.
 *
 *     id -> [at, length) in the slab, owner         IdTable: hash of the packed key -> id
 *
 * In the slab each record stands behind its length, as in a `RecordBatch`: neighbours are exported in one copy.
 */
export class RecordStore {
  #slab = new Uint8Array(INITIAL_SLAB_BYTES);
  #usedBytes = 0;
  #wastedBytes = 0;
  readonly #table = new IdTable();
  #at = new Uint32Array(INITIAL_RECORDS);
  #length = new Uint32Array(INITIAL_RECORDS);
  #owner = new Uint8Array(INITIAL_RECORDS);
  #idLimit = 0;
  /** Ids below the limit that are free, for reuse. */
  readonly #freeIds: number[] = [];

  get count(): number {
    return this.#idLimit - this.#freeIds.length;
  }

  /** Every id in use is below; `has` tells which are. */
  get idLimit(): number {
    return this.#idLimit;
  }

  /** The slab: replaced when it grows, and records move in it, so take it and `at()` afresh after every change. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#slab;
  }

  has(id: number): boolean {
    return this.#length[id] !== 0;
  }

  at(id: number): number {
    return this.#at[id];
  }

  end(id: number): number {
    return this.#at[id] + this.#length[id];
  }

  owner(id: number): number {
    return this.#owner[id];
  }

  setOwner(id: number, owner: number): void {
    this.#owner[id] = owner;
  }

  /** @param keyAt  Where a packed key (`packKey`) starts in `bytes`. Returns -1 if there is no such record. */
  find(bytes: Uint8Array, keyAt: number): number {
    const keyEnd = keyEndAt(bytes, keyAt);
    const hash = hashOf(bytes, keyAt, keyEnd, HASH_START);
    return this.#table.find(hash, (id) => isEqual(this.#slab, this.#at[id] + 1, bytes, keyAt, keyEnd));
  }

  isEqual(id: number, bytes: Uint8Array, at: number, end: number): boolean {
    return this.#length[id] === end - at && isEqual(this.#slab, this.#at[id], bytes, at, end);
  }

  /** Copies the record in `bytes[at..end)`, whose key must not be there. */
  add(bytes: Uint8Array, at: number, end: number, owner: number): number {
    const id = this.#freeIds.pop() ?? this.#newId();
    this.#store(id, bytes, at, end);
    this.#owner[id] = owner;
    this.#table.add(hashOf(bytes, at + 1, keyEndAt(bytes, at + 1), HASH_START), id);
    return id;
  }

  /** Lets `id` hold another record of the same key. */
  overwrite(id: number, bytes: Uint8Array, at: number, end: number): void {
    const length = end - at;
    const oldLength = this.#length[id];
    if (length <= oldLength && varintBytes(length) === varintBytes(oldLength)) {
      this.#write(id, bytes, at, end, this.#startOf(id));
      this.#wastedBytes += oldLength - length;
    } else {
      this.#wastedBytes += this.#sizeOf(id);
      this.#length[id] = 0;
      this.#store(id, bytes, at, end);
    }
    this.#compactIfWasteful();
  }

  remove(id: number): void {
    const keyAt = this.#at[id] + 1;
    this.#table.remove(hashOf(this.#slab, keyAt, keyEndAt(this.#slab, keyAt), HASH_START), id);
    this.#wastedBytes += this.#sizeOf(id);
    this.#length[id] = 0;
    this.#freeIds.push(id);
    this.#compactIfWasteful();
  }

  /** A copy of the records of one owner, which later changes do not touch. */
  export(owner: number): RecordBatch {
    const bytes = new Uint8Array(this.#usedBytes - this.#wastedBytes);
    let copiedBytes = 0;
    let count = 0;
    // Neighbours in the slab mostly have neighbouring ids: a few copies instead of 10,000, for which the source would wait 5 ms.
    let runStart = 0;
    let runEnd = 0;
    const idLimit = this.#idLimit;
    const ats = this.#at;
    const lengths = this.#length;
    const owners = this.#owner;
    for (let id = 0; id < idLimit; id++) {
      const length = lengths[id];
      if (length === 0 || owners[id] !== owner) continue;
      const at = ats[id];
      const start = length < 0x80 ? at - 1 : at - varintBytes(length);
      if (start !== runEnd) {
        bytes.set(this.#slab.subarray(runStart, runEnd), copiedBytes);
        copiedBytes += runEnd - runStart;
        runStart = start;
      }
      runEnd = at + length;
      count++;
    }
    bytes.set(this.#slab.subarray(runStart, runEnd), copiedBytes);
    return RecordBatch.fromTrustedBytes(bytes.subarray(0, copiedBytes + runEnd - runStart), count);
  }

  /** Where the record's length starts. */
  #startOf(id: number): number {
    return this.#at[id] - varintBytes(this.#length[id]);
  }

  /** With its length. */
  #sizeOf(id: number): number {
    return varintBytes(this.#length[id]) + this.#length[id];
  }

  #newId(): number {
    if (this.#idLimit === this.#at.length) {
      this.#at = doubled(this.#at, Uint32Array);
      this.#length = doubled(this.#length, Uint32Array);
      this.#owner = doubled(this.#owner, Uint8Array);
    }
    return this.#idLimit++;
  }

  #store(id: number, bytes: Uint8Array, at: number, end: number): void {
    const needed = this.#usedBytes + varintBytes(end - at) + end - at;
    if (needed > this.#slab.length) {
      this.#slab = grown(this.#slab, Math.ceil(Math.max(needed, this.#slab.length * SLAB_GROWTH)));
    }
    this.#write(id, bytes, at, end, this.#usedBytes);
    this.#usedBytes = needed;
  }

  #write(id: number, bytes: Uint8Array, at: number, end: number, start: number): void {
    this.#at[id] = writeVarint(this.#slab, start, end - at);
    this.#length[id] = end - at;
    this.#slab.set(bytes.subarray(at, end), this.#at[id]);
  }

  /** Closes the holes once these take a third. By id, not by place: the runs that `export` copies get long again. */
  #compactIfWasteful(): void {
    if (this.#wastedBytes < MIN_WASTE_BYTES || this.#wastedBytes * 3 < this.#usedBytes) return;
    const slab = new Uint8Array(Math.ceil((this.#usedBytes - this.#wastedBytes) * SLAB_GROWTH));
    let length = 0;
    for (let id = 0; id < this.#idLimit; id++) {
      if (!this.has(id)) continue;
      slab.set(this.#slab.subarray(this.#startOf(id), this.end(id)), length);
      this.#at[id] = length + varintBytes(this.#length[id]);
      length += this.#sizeOf(id);
    }
    // Its pages go back now, not at the next garbage collection.
    this.#slab.buffer.transfer(0);
    this.#slab = slab;
    this.#usedBytes = length;
    this.#wastedBytes = 0;
  }
}

function keyEndAt(bytes: Uint8Array, keyAt: number): number {
  return stringEnd(bytes, stringEnd(bytes, keyAt));
}

/** Offset basis and prime of FNV-1a (Fowler, Noll, Vo), 32 bits. */
export const HASH_START = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;

/** Hash of `bytes[at..end)`; `start` is `HASH_START` or the hash of what came before. */
export function hashOf(bytes: Uint8Array, at: number, end: number, start: number): number {
  let hash = start;
  for (let index = at; index < end; index++) hash = Math.imul(hash ^ bytes[index], FNV_PRIME);
  return hash;
}

/** Whether `left` from `leftAt` on holds the octets `right[rightAt..rightEnd)`. */
export function isEqual(
  left: Uint8Array,
  leftAt: number,
  right: Uint8Array,
  rightAt: number,
  rightEnd: number,
): boolean {
  for (let index = rightAt; index < rightEnd; index++) {
    if (left[leftAt + index - rightAt] !== right[index]) return false;
  }
  return true;
}

/** The same numbers in an array of twice the length. */
export function doubled<Cells extends Uint8Array | Int32Array | Uint32Array>(
  cells: Cells,
  Type: new (length: number) => Cells,
): Cells {
  const larger = new Type(cells.length * 2);
  larger.set(cells);
  return larger;
}
