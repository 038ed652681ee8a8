import { formatIpAddress } from "./ip-address.ts";

// ignoreBOM: a leading U+FEFF is part of the text, or the round trip would lose it.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Reads what `ByteWriter` wrote, from `at` up to `end`. Every method throws RangeError instead of reading past the end, and
 * none allocates more than the octets that are there.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    if (at < 0 || end > bytes.length || at > end) throw damaged(at);
    this.#bytes = bytes;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    if (this.at >= this.end) throw damaged(this.at);
    return this.#bytes[this.at++];
  }

  varint(): number {
    const first = this.byte();
    return first <= 0x7f ? first : this.#longVarint(first & 0x7f);
  }

  /** A number of things that take at least `minimumBytes` each: more than fit in the rest is damage. */
  count(minimumBytes: number): number {
    const count = this.varint();
    if (count * minimumBytes > this.end - this.at) throw damaged(this.at);
    return count;
  }

  string(): string {
    const length = this.skipString();
    return length === 0 ? "" : decoder.decode(this.#bytes.subarray(this.at - length, this.at));
  }

  /** Returns the length of the text in octets. */
  skipString(): number {
    const length = this.varint();
    this.skip(length);
    return length;
  }

  address(octets: 4 | 16): string {
    this.skip(octets);
    return formatIpAddress(this.#bytes, this.at - octets, octets);
  }

  skip(count: number): void {
    if (count > this.end - this.at) throw damaged(this.at);
    this.at += count;
  }

  /** One of `values` by its index. */
  choice<Value>(values: readonly Value[]): Value {
    const index = this.byte();
    if (index >= values.length) throw damaged(this.at - 1);
    return values[index];
  }

  #longVarint(lowest: number): number {
    let value = lowest;
    for (let shift = 7; shift <= 28; shift += 7) {
      const octet = this.byte();
      value += (octet & 0x7f) * (1 << shift);
      if (octet > 0x7f) continue;
      // A padded form would give two encodings for one value, and equality is compared in octets.
      if (octet === 0 || value > 0x7fff_ffff) break;
      return value;
    }
    throw damaged(this.at);
  }
}

export function damaged(at: number): RangeError {
  return new RangeError(`Packed records are damaged at octet ${at}`);
}
