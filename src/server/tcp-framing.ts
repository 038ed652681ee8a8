/**
 * DNS messages in a stream: each stands behind its length in two octets (RFC 1035 section 4.2.2), in any segmentation,
 * and several may share a segment (RFC 7766 section 8).
 */
export const LENGTH_OCTETS = 2;
const MAX_FRAME_OCTETS = LENGTH_OCTETS + 65535;
/** Where a split message is first put together; nearly every query fits. */
const MIN_CAPACITY_OCTETS = 512;

/**
 * Cuts a stream into messages.
 *
 * Memory follows what was received, never what a length announces: whole messages are views of the pushed octets, and
 * the buffer for a split one doubles, so that a drip of single octets costs linear time.
 */
export class MessageSplitter {
  /** Octets not given out yet: `#buffer[#start..#end)`. */
  #buffer: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;

  /** Adds a segment. It is kept, not copied, while messages in it were not given out. */
  push(segment: Uint8Array): void {
    const restOctets = this.#end - this.#start;
    if (restOctets === 0) {
      this.#buffer = segment;
      this.#start = 0;
      this.#end = segment.length;
      return;
    }
    // A segment of the caller's has no room behind it, so only our own buffer is ever appended to.
    if (this.#buffer.length - this.#end < segment.length) this.#regrow(restOctets, segment.length);
    this.#buffer.set(segment, this.#end);
    this.#end += segment.length;
  }

  /** The next whole message without its length, valid until the next `push`; undefined until more octets come. */
  next(): Uint8Array | undefined {
    const available = this.#end - this.#start;
    if (available < LENGTH_OCTETS) return undefined;
    const from = this.#start + LENGTH_OCTETS;
    const length = (this.#buffer[this.#start] << 8) | this.#buffer[this.#start + 1];
    if (available < LENGTH_OCTETS + length) return undefined;
    this.#start = from + length;
    return this.#buffer.subarray(from, from + length);
  }

  /** Octets received and not given out. */
  get pendingOctets(): number {
    return this.#end - this.#start;
  }

  #regrow(restOctets: number, moreOctets: number): void {
    const doubled = Math.min(MAX_FRAME_OCTETS, Math.max(MIN_CAPACITY_OCTETS, 2 * restOctets));
    const grown = new Uint8Array(Math.max(doubled, restOctets + moreOctets));
    grown.set(this.#buffer.subarray(this.#start, this.#end));
    this.#buffer = grown;
    this.#start = 0;
    this.#end = restOctets;
  }
}
