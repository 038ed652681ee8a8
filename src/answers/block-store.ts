const PAGE_BITS = 18;
/** A block never crosses a page, so that readers index one array. */
const PAGE_OCTETS = 2 ** PAGE_BITS;
/** A page with less than this share of live octets is emptied into the current one. */
const SPARSE_SHARE = 0.25;
const NO_PAGE = -1;

/** Where a block lies: page and offset in one number. */
export type BlockAddress = number & { readonly brand: "BlockAddress" };

interface Page {
  bytes: Uint8Array;
  used: number;
  live: number;
}

/**
 * Memory for the compiled blocks of the answer table.
 *
 * Pages instead of one growing array: growing would copy tens of megabytes between two packets, while emptying a sparse page moves a
 * quarter of a page at most. A block larger than a page gets a page of its own size.
 */
export class BlockStore {
  readonly #pages: Page[] = [];
  readonly #emptyPages: number[] = [];
  #current = NO_PAGE;

  /** The octets that hold a block, which begins at `offsetOf(address)`. Valid until the next `write` or `free`. */
  bytesAt(address: BlockAddress): Uint8Array {
    return this.#pages[address >>> PAGE_BITS].bytes;
  }

  offsetOf(address: BlockAddress): number {
    return address & (PAGE_OCTETS - 1);
  }

  get sizeBytes(): number {
    let total = 0;
    for (const page of this.#pages) total += page.bytes.length;
    return total;
  }

  /** Copies `source[from..from+length)` in. */
  write(source: Uint8Array, from: number, length: number): BlockAddress {
    const index = this.#pageWithRoom(length);
    const page = this.#pages[index];
    const offset = page.used;
    page.bytes.set(source.subarray(from, from + length), offset);
    page.used += length;
    page.live += length;
    return (index * PAGE_OCTETS + offset) as BlockAddress;
  }

  /** @returns true when the page became sparse: the owner moves what `isInSamePage` and the page is reused. */
  free(address: BlockAddress, length: number): boolean {
    const index = address >>> PAGE_BITS;
    const page = this.#pages[index];
    page.live -= length;
    if (page.live > 0) return index !== this.#current && page.live < page.used * SPARSE_SHARE;
    this.#release(index);
    return false;
  }

  isInSamePage(a: BlockAddress, b: BlockAddress): boolean {
    return a >>> PAGE_BITS === b >>> PAGE_BITS;
  }

  #release(index: number): void {
    const page = this.#pages[index];
    page.used = 0;
    if (index === this.#current) return;
    if (page.bytes.length !== PAGE_OCTETS) page.bytes = new Uint8Array(0);
    this.#emptyPages.push(index);
  }

  #pageWithRoom(length: number): number {
    const isLarge = length > PAGE_OCTETS;
    if (!isLarge && this.#current !== NO_PAGE) {
      const current = this.#pages[this.#current];
      if (current.used + length <= PAGE_OCTETS) return this.#current;
    }
    const index = this.#takePage(isLarge ? length : PAGE_OCTETS);
    if (!isLarge) this.#current = index;
    return index;
  }

  #takePage(octets: number): number {
    const index =
      this.#emptyPages.pop() ?? this.#pages.push({ bytes: new Uint8Array(0), used: 0, live: 0 }) - 1;
    const page = this.#pages[index];
    if (page.bytes.length !== octets) page.bytes = new Uint8Array(octets);
    page.used = 0;
    return index;
  }
}
