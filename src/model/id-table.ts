/** Slots are pairs of (id + 1, hash); 0 marks an empty slot. */
const SLOT_CELLS = 2;
const INITIAL_SLOTS = 16;
/** Fuller than this, chains of linear probing grow long. */
const MAX_LOAD = 0.7;

/**
 * Hash table from keys that the caller keeps elsewhere to small integers: open addressing over one Int32Array. A `Map` would
 * need a string for every key, which the packed records already hold.
 */
export class IdTable {
  #cells = new Int32Array(INITIAL_SLOTS * SLOT_CELLS);
  #size = 0;

  /** The id with this hash for which `isMatch` holds; -1 if there is none. */
  find(hash: number, isMatch: (id: number) => boolean): number {
    const cells = this.#cells;
    for (let slot = this.#home(hash); cells[slot] !== 0; slot = this.#next(slot)) {
      if (cells[slot + 1] === hash && isMatch(cells[slot] - 1)) return cells[slot] - 1;
    }
    return -1;
  }

  /** The key must not be there. */
  add(hash: number, id: number): void {
    if ((this.#size + 1) * SLOT_CELLS > this.#cells.length * MAX_LOAD) this.#grow();
    this.#place(hash, id);
    this.#size++;
  }

  /** Lets the key of `id` stand for `newId`. */
  replace(hash: number, id: number, newId: number): void {
    this.#cells[this.#slotOf(hash, id)] = newId + 1;
  }

  remove(hash: number, id: number): void {
    const cells = this.#cells;
    let hole = this.#slotOf(hash, id);
    // Entries behind the hole move up where that brings them nearer to their home, so that no tombstones pile up.
    for (let slot = this.#next(hole); cells[slot] !== 0; slot = this.#next(slot)) {
      if (this.#distance(this.#home(cells[slot + 1]), slot) < this.#distance(hole, slot)) continue;
      cells[hole] = cells[slot];
      cells[hole + 1] = cells[slot + 1];
      hole = slot;
    }
    cells[hole] = 0;
    this.#size--;
  }

  #slotOf(hash: number, id: number): number {
    const cells = this.#cells;
    let slot = this.#home(hash);
    while (cells[slot] !== id + 1) {
      if (cells[slot] === 0) throw new Error(`Cannot find id ${id} under its hash`);
      slot = this.#next(slot);
    }
    return slot;
  }

  #place(hash: number, id: number): void {
    let slot = this.#home(hash);
    while (this.#cells[slot] !== 0) slot = this.#next(slot);
    this.#cells[slot] = id + 1;
    this.#cells[slot + 1] = hash;
  }

  #grow(): void {
    const old = this.#cells;
    this.#cells = new Int32Array(old.length * 2);
    for (let slot = 0; slot < old.length; slot += SLOT_CELLS) {
      if (old[slot] !== 0) this.#place(old[slot + 1], old[slot] - 1);
    }
  }

  #home(hash: number): number {
    return (hash * SLOT_CELLS) & (this.#cells.length - 1);
  }

  #next(slot: number): number {
    return (slot + SLOT_CELLS) & (this.#cells.length - 1);
  }

  #distance(from: number, to: number): number {
    return (to - from) & (this.#cells.length - 1);
  }
}
