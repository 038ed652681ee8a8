const FREE = -1;
const INITIAL_SLOTS = 64;
/** Linear probing stays short below this. */
const MAX_LOAD = 0.6;

/**
 * A hash index from keys that the caller holds to a pair of small integers: a handle (0 or more) and a detail.
 *
 * Open addressing over typed arrays: no object and no string per entry or per look-up. The caller compares keys, since it alone knows
 * where they are; the index only narrows by the full 32-bit hash, and the same key may be added more than once. Removal shifts entries back
 * instead of leaving tombstones, so a table with churn stays as fast as a new one.
 */
export class KeyIndex {
  #handles = new Int32Array(INITIAL_SLOTS).fill(FREE);
  #hashes = new Int32Array(INITIAL_SLOTS);
  #details = new Int32Array(INITIAL_SLOTS);
  #mask = INITIAL_SLOTS - 1;
  #limit = Math.floor(INITIAL_SLOTS * MAX_LOAD);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The first slot for `hash`, or a negative number; go on with `next`. */
  first(hash: number): number {
    return this.#match(hash & this.#mask, hash | 0);
  }

  next(slot: number, hash: number): number {
    return this.#match((slot + 1) & this.#mask, hash | 0);
  }

  handleAt(slot: number): number {
    return this.#handles[slot];
  }

  detailAt(slot: number): number {
    return this.#details[slot];
  }

  add(hash: number, handle: number, detail: number): void {
    if (this.#count >= this.#limit) this.#resize((this.#mask + 1) * 2);
    this.#place(hash | 0, handle, detail);
    this.#count++;
  }

  /** Makes room for `count` entries at once, so that loading a known number does not rehash in between. */
  reserve(count: number): void {
    let slots = this.#mask + 1;
    while (count > slots * MAX_LOAD) slots *= 2;
    if (slots > this.#mask + 1) this.#resize(slots);
  }

  /** Does nothing when the entry is not there. */
  remove(hash: number, handle: number, detail: number): void {
    for (let slot = this.first(hash); slot >= 0; slot = this.next(slot, hash)) {
      if (this.#handles[slot] !== handle || this.#details[slot] !== detail) continue;
      this.#closeGap(slot);
      this.#count--;
      return;
    }
  }

  #match(slot: number, hash: number): number {
    while (this.#handles[slot] !== FREE) {
      if (this.#hashes[slot] === hash) return slot;
      slot = (slot + 1) & this.#mask;
    }
    return FREE;
  }

  #closeGap(gap: number): void {
    const mask = this.#mask;
    for (let slot = (gap + 1) & mask; this.#handles[slot] !== FREE; slot = (slot + 1) & mask) {
      const home = this.#hashes[slot] & mask;
      // An entry may move back only if the gap is not before its home on the probe path.
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      this.#handles[gap] = this.#handles[slot];
      this.#hashes[gap] = this.#hashes[slot];
      this.#details[gap] = this.#details[slot];
      gap = slot;
    }
    this.#handles[gap] = FREE;
  }

  #place(hash: number, handle: number, detail: number): void {
    let slot = hash & this.#mask;
    while (this.#handles[slot] !== FREE) slot = (slot + 1) & this.#mask;
    this.#handles[slot] = handle;
    this.#hashes[slot] = hash;
    this.#details[slot] = detail;
  }

  #resize(slots: number): void {
    const handles = this.#handles;
    const hashes = this.#hashes;
    const details = this.#details;
    this.#handles = new Int32Array(slots).fill(FREE);
    this.#hashes = new Int32Array(slots);
    this.#details = new Int32Array(slots);
    this.#mask = slots - 1;
    this.#limit = Math.floor(slots * MAX_LOAD);
    for (let slot = 0; slot < handles.length; slot++) {
      if (handles[slot] !== FREE) this.#place(hashes[slot], handles[slot], details[slot]);
    }
  }
}
