/** Big-endian writer of blocks and deltas into one growing buffer. `offset` counts from the last `begin`. */
export class BlockWriter {
  #bytes = new Uint8Array(4096);
  #length = 0;
  #start = 0;

  /** Octets written so far. */
  get length(): number {
    return this.#length;
  }

  /** Offset of the next octet within the block that `begin` started. */
  get offset(): number {
    return this.#length - this.#start;
  }

  begin(): void {
    this.#start = this.#length;
  }

  uint8(value: number): void {
    if (this.#length === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  uint16(value: number): void {
    this.#reserve(2);
    this.#bytes[this.#length++] = value >>> 8;
    this.#bytes[this.#length++] = value;
  }

  /** @returns A position for `patchUint32`. */
  uint32(value: number): number {
    this.#reserve(4);
    const at = this.#length;
    this.#length += 4;
    this.patchUint32(at, value);
    return at;
  }

  patchUint32(at: number, value: number): void {
    this.#bytes[at] = value >>> 24;
    this.#bytes[at + 1] = value >>> 16;
    this.#bytes[at + 2] = value >>> 8;
    this.#bytes[at + 3] = value;
  }

  octets(octets: Uint8Array): void {
    this.#reserve(octets.length);
    this.#bytes.set(octets, this.#length);
    this.#length += octets.length;
  }

  /** `source[from..to)`, of a few octets: a loop beats a view. */
  range(source: Uint8Array, from: number, to: number): void {
    this.#reserve(to - from);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let index = from; index < to; index++) bytes[at++] = source[index];
    this.#length = at;
  }

  /** ASCII text of at most 255 octets, its length first. */
  text(text: string): void {
    this.uint8(text.length);
    this.#reserve(text.length);
    for (let index = 0; index < text.length; index++) this.#bytes[this.#length++] = text.charCodeAt(index);
  }

  /** Forgets everything behind `length`. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** A copy of what was written; the writer starts again. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    this.#start = 0;
    return bytes;
  }

  #reserve(octets: number): void {
    const needed = this.#length + octets;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
