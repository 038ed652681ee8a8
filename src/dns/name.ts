/**
 * Domain names as octets in wire format: a length octet before each label, the root's zero octet last, never compressed.
 *
 * Labels are octet strings (RFC 2181 section 11): a dot, a NUL or an octet above 0x7f inside a label is data and survives.
 * Only ASCII letters have case (RFC 4343 section 3). Text is for people: two names are compared as octets, never as text.
 */
import { MAX_LABEL_OCTETS, MAX_NAME_OCTETS } from "./constants.ts";

export type NameErrorCode = "empty-label" | "label-too-long" | "name-too-long" | "bad-escape";

/** Why a text is not a domain name. `reason` is a clause that can follow "the name: ". */
export interface NameError {
  readonly code: NameErrorCode;
  readonly reason: string;
}

export const ROOT_NAME: Uint8Array = new Uint8Array(1);

const DOT = 0x2e;
const BACKSLASH = 0x5c;
const DIGIT_ZERO = 0x30;
/** Characters that zone files give a meaning (RFC 1035 section 5.1): written with a backslash. */
const SPECIAL = new Set(Array.from('."();@$\\', (character) => character.charCodeAt(0)));
/** Of a label that is too long, an error message shows this much. */
const SHOWN_OCTETS = 20;

/**
 * Reads a name in presentation format. Names are absolute, with or without the final dot; characters outside ASCII become
 * their UTF-8 octets.
 *
 * @returns The name in wire format, or the reason why it is none (tell them apart with `instanceof Uint8Array`).
 * @see RFC 1035 section 5.1 for the escapes `\.` and `\ddd`.
 */
export function parseName(text: string): Uint8Array | NameError {
  if (text === ".") return ROOT_NAME.slice();
  const source = new TextEncoder().encode(text);
  const wire: number[] = [];
  let at = 0;
  for (let labelNumber = 1; at < source.length || labelNumber === 1; labelNumber++) {
    const label: number[] = [];
    while (at < source.length && source[at] !== DOT) {
      if (source[at] !== BACKSLASH) {
        label.push(source[at++]);
        continue;
      }
      const escape = readEscape(source, at);
      if (escape === undefined) return badEscape(source, at);
      label.push(escape.octet);
      at = escape.end;
    }
    at++;
    if (label.length === 0) {
      return { code: "empty-label", reason: `label ${labelNumber} is empty` };
    }
    if (label.length > MAX_LABEL_OCTETS) return labelTooLong(label, labelNumber);
    wire.push(label.length, ...label);
  }
  wire.push(0);
  if (wire.length > MAX_NAME_OCTETS) {
    return {
      code: "name-too-long",
      reason: `it takes ${wire.length} octets in wire format, at most ${MAX_NAME_OCTETS} are allowed`,
    };
  }
  return Uint8Array.from(wire);
}

function readEscape(source: Uint8Array, at: number): { octet: number; end: number } | undefined {
  if (at + 1 >= source.length) return undefined;
  const first = source[at + 1] - DIGIT_ZERO;
  if (first < 0 || first > 9) return { octet: source[at + 1], end: at + 2 };
  if (at + 3 >= source.length) return undefined;
  const second = source[at + 2] - DIGIT_ZERO;
  const third = source[at + 3] - DIGIT_ZERO;
  const octet = first * 100 + second * 10 + third;
  if (second < 0 || second > 9 || third < 0 || third > 9 || octet > 255) return undefined;
  return { octet, end: at + 4 };
}

function badEscape(source: Uint8Array, at: number): NameError {
  const shown = new TextDecoder().decode(source.subarray(at, at + 4));
  return {
    code: "bad-escape",
    reason: `"${shown}" is not an escape; accepted are "\\" and one character, or "\\" and three digits up to 255`,
  };
}

function labelTooLong(label: readonly number[], labelNumber: number): NameError {
  const shown = label.slice(0, SHOWN_OCTETS).map(formatOctet).join("");
  return {
    code: "label-too-long",
    reason: `label ${labelNumber} ("${shown}...") has ${label.length} octets, at most ${MAX_LABEL_OCTETS} are allowed`,
  };
}

/**
 * The name at `wire[at..)` in presentation format, with the final dot. What is no name (a pointer, a label past the end) ends
 * the text early; nothing throws.
 */
export function formatName(wire: Uint8Array, at: number): string {
  let text = "";
  let label = at;
  while (label < wire.length && wire[label] > 0 && wire[label] <= MAX_LABEL_OCTETS) {
    const end = Math.min(label + 1 + wire[label], wire.length);
    for (let index = label + 1; index < end; index++) text += formatOctet(wire[index]);
    text += ".";
    label = end;
  }
  return text === "" ? "." : text;
}

function formatOctet(octet: number): string {
  if (octet <= 0x20 || octet >= 0x7f) return `\\${String(octet).padStart(3, "0")}`;
  return (SPECIAL.has(octet) ? "\\" : "") + String.fromCharCode(octet);
}

/** Octets of the name at `wire[at..)`, the root's included. The name must be whole and uncompressed. */
export function nameOctets(wire: Uint8Array, at: number): number {
  let end = at;
  while (wire[end] > 0) end += wire[end] + 1;
  return end + 1 - at;
}

/** An ASCII capital as its small letter, every other octet as it is. Length octets (at most 63) are below the letters. */
export function foldCase(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
}

/** Whether `octets` octets of two names or runs of whole labels are the same, ASCII case ignored. */
export function equalLabels(
  left: Uint8Array,
  leftAt: number,
  right: Uint8Array,
  rightAt: number,
  octets: number,
): boolean {
  for (let index = 0; index < octets; index++) {
    const a = left[leftAt + index];
    const b = right[rightAt + index];
    if (a !== b && foldCase(a) !== foldCase(b)) return false;
  }
  return true;
}

/**
 * A 32-bit hash (signed) of the labels in `bytes[from..to)`, ASCII case ignored: FNV-1a, then the finalizer of MurmurHash3,
 * because FNV alone leaves the low bits of names that differ in their last octets close together.
 *
 * @param seed Any 32-bit number; hashes of one table share it. Not a defence against chosen names: the names in our tables
 *   come from the cluster, and tables compare the octets.
 */
export function hashLabels(bytes: Uint8Array, from: number, to: number, seed: number): number {
  let hash = seed ^ 0x811c9dc5;
  for (let index = from; index < to; index++) {
    // `foldCase`, written out: a restart hashes ten thousand names before V8 has begun to inline.
    const octet = bytes[index];
    hash = Math.imul(hash ^ (octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
