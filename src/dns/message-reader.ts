import { HEADER_OCTETS, MAX_LABEL_OCTETS, MAX_NAME_OCTETS } from "./constants.ts";
import { ROOT_NAME } from "./name.ts";

/** What is wrong with a message, and where. */
export interface MessageError {
  /** Octet of the message at which reading stopped. */
  readonly offset: number;
  readonly reason: string;
}

/** A name of 127 labels cannot need more pointers than labels. */
const MAX_POINTERS = 127;
/**
 * Octets of names built per octet of message. Replies need 2 to 5; with 1-octet questions that all point into one name of
 * 255 octets a message could ask for 32.
 */
const MAX_EXPANSION = 16;
/** So that one long name in a short message always fits. */
const MIN_WORK = 4096;
const NO_OCTETS = new Uint8Array(0);

/**
 * Reads one message front to back within bounds.
 *
 * Nothing throws: the first fault is kept in `problem`, and from then on every read gives zero or nothing, so that callers
 * check once per record instead of once per field. Loops over counts must stop at `hasFailed`.
 */
export class MessageReader {
  readonly bytes: Uint8Array;
  at = 0;
  /** Reads do not go past this octet: the end of the message, or of the RDATA being read. */
  #limit: number;
  #problem: MessageError | undefined;
  #workLeft: number;
  /** Names by the offset where they start, so that the many pointers to one name cost nothing. */
  readonly #names = new Map<number, Uint8Array>();
  readonly #scratch = new Uint8Array(MAX_NAME_OCTETS);

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#limit = bytes.length;
    this.#workLeft = Math.max(MIN_WORK, bytes.length * MAX_EXPANSION);
  }

  get problem(): MessageError | undefined {
    return this.#problem;
  }

  get hasFailed(): boolean {
    return this.#problem !== undefined;
  }

  /** Octets left before the limit. */
  get remaining(): number {
    return this.hasFailed ? 0 : this.#limit - this.at;
  }

  fail(offset: number, reason: string): void {
    this.#problem ??= { offset, reason };
  }

  /** Takes `octets` if they are there. `what` is named in the error. */
  #take(octets: number, what: string): boolean {
    if (this.hasFailed) return false;
    if (this.at + octets > this.#limit) {
      const area = this.#limit === this.bytes.length ? "message" : "RDATA";
      this.fail(this.at, `${what} runs past the end of the ${area}`);
      return false;
    }
    this.at += octets;
    return true;
  }

  uint8(what: string): number {
    return this.#take(1, what) ? this.bytes[this.at - 1] : 0;
  }

  uint16(what: string): number {
    return this.#take(2, what) ? (this.bytes[this.at - 2] << 8) | this.bytes[this.at - 1] : 0;
  }

  uint32(what: string): number {
    if (!this.#take(4, what)) return 0;
    const [a, b, c, d] = this.bytes.subarray(this.at - 4, this.at);
    return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  }

  /** A copy: a message kept for later must not keep a 64 KiB receive buffer with it. */
  octets(count: number, what: string): Uint8Array {
    return this.#take(count, what) ? this.bytes.slice(this.at - count, this.at) : NO_OCTETS;
  }

  /**
   * Reads RDATA of `octets` octets with `read`, which must use up exactly these. The limit keeps counts and lengths inside
   * from reaching into the next record.
   */
  rdata<T>(octets: number, read: () => T): T {
    const start = this.at;
    const outer = this.#limit;
    if (this.#take(octets, "RDATA")) {
      this.at = start;
      this.#limit = start + octets;
    }
    const result = read();
    if (this.remaining > 0) this.fail(start, `RDLENGTH ${octets} is too long for the type`);
    this.#limit = outer;
    return result;
  }

  /** A name, decompressed. The array may be shared with other names of the message. */
  name(what: string): Uint8Array {
    if (this.hasFailed) return ROOT_NAME;
    const start = this.at;
    const name = this.#expand(start, what);
    if (name === undefined) return ROOT_NAME;
    this.#names.set(start, name);
    // Nothing but a pointer: the next name that points to the same place finds it, however long the chain behind it is.
    if (this.bytes[start] >= 0xc0) this.#names.set(this.#pointerAt(start), name);
    return name;
  }

  #pointerAt(at: number): number {
    return ((this.bytes[at] & 0x3f) << 8) | this.bytes[at + 1];
  }

  /**
   * Pointers lead to an octet before everything read of the name so far (RFC 1035 section 4.1.4: a prior occurrence), so
   * there are no loops; their number and the octets built in the whole message are bounded.
   */
  #expand(start: number, what: string): Uint8Array | undefined {
    let at = start;
    let lowest = start;
    let octets = 0;
    for (let pointers = 0; ;) {
      const segment = this.#copyLabels(at, octets, pointers === 0 ? this.#limit : this.bytes.length, what);
      if (segment === undefined) return undefined;
      at = segment.end;
      octets = segment.octets;
      if (segment.isWhole) {
        if (pointers === 0) this.at = at;
        return this.#scratch.slice(0, octets);
      }
      const target = this.#pointerAt(at);
      if (target >= lowest || target < HEADER_OCTETS) {
        this.fail(at, `${what} has a compression pointer that does not lead back`);
        return undefined;
      }
      if (pointers === 0) this.at = at + 2;
      if (++pointers > MAX_POINTERS || --this.#workLeft < 0) {
        this.fail(at, `${what} has too many compression pointers`);
        return undefined;
      }
      const known = this.#names.get(target);
      if (known !== undefined) return this.#append(known, octets, what);
      at = target;
      lowest = target;
    }
  }

  /** Copies labels to the scratch name up to and with the root, or up to a pointer (`isWhole` is false, `end` its offset). */
  #copyLabels(
    start: number,
    octetsBefore: number,
    limit: number,
    what: string,
  ): { end: number; octets: number; isWhole: boolean } | undefined {
    let at = start;
    let octets = octetsBefore;
    for (;;) {
      const labelOctets = at < limit ? this.bytes[at] : 0;
      if (at >= limit || at + 1 + (labelOctets >= 0xc0 ? 1 : labelOctets) > limit) {
        this.fail(
          at,
          `${what} runs past the end of the ${limit === this.bytes.length ? "message" : "RDATA"}`,
        );
        return undefined;
      }
      if (labelOctets >= 0xc0) return { end: at, octets, isWhole: false };
      if (labelOctets > MAX_LABEL_OCTETS) {
        this.fail(at, `${what} has a label of an unknown type`);
        return undefined;
      }
      if (!this.#hasRoom(at, octets + labelOctets + 1, labelOctets + 1, what)) return undefined;
      for (let index = 0; index <= labelOctets; index++) this.#scratch[octets++] = this.bytes[at++];
      if (labelOctets === 0) return { end: at, octets, isWhole: true };
    }
  }

  /** Completes the scratch name with a name read before. */
  #append(known: Uint8Array, octets: number, what: string): Uint8Array | undefined {
    if (octets === 0) return known;
    if (!this.#hasRoom(this.at, octets + known.length, known.length, what)) return undefined;
    this.#scratch.set(known, octets);
    return this.#scratch.slice(0, octets + known.length);
  }

  #hasRoom(at: number, octets: number, added: number, what: string): boolean {
    this.#workLeft -= added;
    if (octets > MAX_NAME_OCTETS) this.fail(at, `${what} is longer than ${MAX_NAME_OCTETS} octets`);
    else if (this.#workLeft < 0) this.fail(at, "names in the message expand to too many octets");
    return !this.hasFailed;
  }
}
