import type { BlockAddress } from "./block-store.ts";

const INITIAL_SLOTS = 256;

/**
 * Handles for the blocks of one kind, as parallel arrays: where the block lies, how long it is, the hash of its key and the epoch in
 * which it was last put. Handles are small integers and are used again.
 */
export class BlockSlots {
  #addresses = new Uint32Array(INITIAL_SLOTS);
  #octets = new Uint32Array(INITIAL_SLOTS);
  #hashes = new Int32Array(INITIAL_SLOTS);
  #epochs = new Uint8Array(INITIAL_SLOTS);
  readonly #free: number[] = [];
  #end = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Every handle in use is below. Free ones have no octets. */
  get end(): number {
    return this.#end;
  }

  address(handle: number): BlockAddress {
    return this.#addresses[handle] as BlockAddress;
  }

  octets(handle: number): number {
    return this.#octets[handle];
  }

  hash(handle: number): number {
    return this.#hashes[handle];
  }

  epoch(handle: number): number {
    return this.#epochs[handle];
  }

  isUsed(handle: number): boolean {
    return this.#octets[handle] !== 0;
  }

  add(hash: number): number {
    const handle = this.#free.pop() ?? this.#end++;
    if (handle >= this.#octets.length) this.reserve(handle * 2);
    this.#hashes[handle] = hash;
    this.#count++;
    return handle;
  }

  place(handle: number, address: BlockAddress, octets: number): void {
    this.#addresses[handle] = address;
    this.#octets[handle] = octets;
  }

  stamp(handle: number, epoch: number): void {
    this.#epochs[handle] = epoch;
  }

  remove(handle: number): void {
    this.#octets[handle] = 0;
    this.#free.push(handle);
    this.#count--;
  }

  reserve(slots: number): void {
    if (slots <= this.#octets.length) return;
    this.#addresses = grown(new Uint32Array(slots), this.#addresses);
    this.#octets = grown(new Uint32Array(slots), this.#octets);
    this.#hashes = grown(new Int32Array(slots), this.#hashes);
    this.#epochs = grown(new Uint8Array(slots), this.#epochs);
  }
}

function grown<Cells extends Uint32Array | Int32Array | Uint8Array>(next: Cells, previous: Cells): Cells {
  next.set(previous);
  return next;
}
