import { MAX_LABEL_OCTETS, MAX_NAME_OCTETS, MAX_TCP_MESSAGE_OCTETS } from "./constants.ts";

const INITIAL_OCTETS = 512;
/** A pointer has 14 bits. */
const MAX_POINTER = 0x3fff;

/**
 * Grows one message front to back. For messages we make ourselves: what cannot be written is a mistake of the caller.
 *
 * @throws {RangeError} From every write, when the message would pass 65535 octets or a value does not fit its field.
 */
export class MessageWriter {
  #bytes = new Uint8Array(INITIAL_OCTETS);
  #at = 0;
  /** Where a run of labels up to the root was written, by its octets as text. Case counts, so no name changes its case. */
  readonly #written = new Map<string, number>();

  #reserve(octets: number): void {
    const needed = this.#at + octets;
    if (needed > MAX_TCP_MESSAGE_OCTETS) {
      throw new RangeError(`Cannot compose a message of more than ${MAX_TCP_MESSAGE_OCTETS} octets`);
    }
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.min(MAX_TCP_MESSAGE_OCTETS, Math.max(needed, this.#bytes.length * 2)));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  #unsigned(value: number, octets: number): void {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * octets)) {
      throw new RangeError(`Cannot write ${value} into ${octets * 8} bits`);
    }
    this.#reserve(octets);
    for (let shift = (octets - 1) * 8; shift >= 0; shift -= 8) this.#bytes[this.#at++] = value >>> shift;
  }

  uint8(value: number): void {
    this.#unsigned(value, 1);
  }

  uint16(value: number): void {
    this.#unsigned(value, 2);
  }

  uint32(value: number): void {
    this.#unsigned(value, 4);
  }

  octets(source: Uint8Array): void {
    this.#reserve(source.length);
    this.#bytes.set(source, this.#at);
    this.#at += source.length;
  }

  /** Writes a 16-bit length, what `write` writes, and then the length of that. */
  withLength(write: () => void): void {
    const lengthAt = this.#at;
    this.uint16(0);
    write();
    const octets = this.#at - lengthAt - 2;
    this.#bytes[lengthAt] = octets >>> 8;
    this.#bytes[lengthAt + 1] = octets;
  }

  /** Writes a name as it is: in RDATA of types younger than RFC 1035 (RFC 3597 section 4). Later names may point into it. */
  name(name: Uint8Array): void {
    const labels = labelOffsets(name);
    const start = this.#at;
    this.octets(name);
    this.#remember(name, labels, start);
  }

  /** Writes a name with a pointer to the longest end of it that was written before. */
  compressedName(name: Uint8Array): void {
    const labels = labelOffsets(name);
    const start = this.#at;
    for (const [index, label] of labels.entries()) {
      const pointer = this.#written.get(suffixKey(name, label));
      if (pointer === undefined) continue;
      this.octets(name.subarray(0, label));
      this.uint16(0xc000 | pointer);
      this.#remember(name, labels.slice(0, index), start);
      return;
    }
    this.octets(name);
    this.#remember(name, labels, start);
  }

  #remember(name: Uint8Array, labels: readonly number[], start: number): void {
    for (const label of labels) {
      const key = suffixKey(name, label);
      if (start + label <= MAX_POINTER && !this.#written.has(key)) this.#written.set(key, start + label);
    }
  }

  /** A copy of the message. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }
}

/**
 * Offsets of the labels of a name, the root not counted.
 *
 * @throws {RangeError} When the octets are not one whole uncompressed name.
 */
function labelOffsets(name: Uint8Array): number[] {
  const offsets: number[] = [];
  let at = 0;
  while (at < name.length && name[at] > 0 && name[at] <= MAX_LABEL_OCTETS) {
    offsets.push(at);
    at += name[at] + 1;
  }
  if (name[at] !== 0 || at + 1 !== name.length || name.length > MAX_NAME_OCTETS) {
    throw new RangeError(`Cannot write as a domain name: current value is [${name.join(" ")}]`);
  }
  return offsets;
}

function suffixKey(name: Uint8Array, label: number): string {
  return String.fromCharCode(...name.subarray(label));
}
