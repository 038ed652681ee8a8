const INITIAL_BYTES = 4096;
/** What is kept between two uses; a giant object must not cost its size for ever. */
const KEEP_BYTES = 256 * 1024;

/**
 * Bytes of one line or item that came in several chunks. Copies, because a chunk belongs to the transport once its
 * callback returns; only what straddles a boundary comes here.
 */
export class ByteAccumulator {
  #bytes: Buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(chunk: Uint8Array, start: number, end: number): void {
    const needed = this.#length + end - start;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(chunk.subarray(start, end), this.#length);
    this.#length = needed;
  }

  /** What was collected, then `chunk[start..end)`, as text; starts anew. */
  takeText(chunk: Uint8Array, start: number, end: number): string {
    if (this.#length === 0) return textOf(chunk, start, end);
    this.append(chunk, start, end);
    const text = textOf(this.#bytes, 0, this.#length);
    this.clear();
    return text;
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > KEEP_BYTES) this.#bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  }
}

/** UTF-8; damaged sequences become U+FFFD, which no name and no address contains, so the object is rejected by itself. */
function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
}
