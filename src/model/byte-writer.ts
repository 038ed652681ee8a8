import { writeIpAddress } from "./ip-address.ts";

const encoder = new TextEncoder();
const INITIAL_BYTES = 256;

/**
 * A growing run of octets. `bytes[0..length)` is what was written; the buffer is replaced when it grows, so take
 * `bytes` afresh after each write.
 */
export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;

  constructor(capacityBytes = INITIAL_BYTES) {
    this.bytes = new Uint8Array(capacityBytes);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Unsigned LEB128: seven bits an octet, the lowest first. `value` is an integer from 0 to 2^31 - 1. */
  varint(value: number): void {
    this.#reserve(5);
    this.length = writeVarint(this.bytes, this.length, value);
  }

  /** UTF-8 with its length in octets before it. */
  string(text: string): void {
    if (text.length < 128 && this.#shortAscii(text)) return;
    const utf8 = encoder.encode(text);
    this.varint(utf8.length);
    this.append(utf8);
  }

  /**
   * Four or sixteen octets.
   * @throws RangeError if `text` is not an address of that length.
   */
  address(text: string, octets: 4 | 16): void {
    this.#reserve(16);
    if (writeIpAddress(text, this.bytes, this.length) !== octets) {
      throw new RangeError(
        `Cannot pack an address as IPv${octets === 4 ? 4 : 6}: current value is "${text}"`,
      );
    }
    this.length += octets;
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Names in Kubernetes are short ASCII: written without a detour through the encoder (0.05 instead of 0.3 us). */
  #shortAscii(text: string): boolean {
    this.#reserve(1 + text.length);
    const { bytes } = this;
    const start = this.length + 1;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[start + index] = code;
    }
    bytes[this.length] = text.length;
    this.length = start + text.length;
    return true;
  }

  #reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    this.bytes = grown(this.bytes, Math.max(needed, this.bytes.length * 2));
  }
}

/** Writes `value` as `ByteWriter.varint` does, into `bytes` with room for it, and returns where it ends. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let end = at;
  let rest = value;
  while (rest > 0x7f) {
    bytes[end++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[end++] = rest;
  return end;
}

/** Octets that `value` takes as a varint. */
export function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** `bytes` with more room at its end. `bytes` must not be used afterwards. */
export function grown(bytes: Uint8Array<ArrayBuffer>, capacityBytes: number): Uint8Array<ArrayBuffer> {
  // transfer() gives the old pages back at once instead of at the next garbage collection. A view of a part stays a copy:
  // the rest of its buffer belongs to others.
  if (bytes.byteLength === bytes.buffer.byteLength)
    return new Uint8Array(bytes.buffer.transfer(capacityBytes));
  const copy = new Uint8Array(capacityBytes);
  copy.set(bytes);
  return copy;
}
