/**
 * IP addresses between text and octets. Own code, because the model keeps octets, answers write octets, and both need an
 * exact round trip: the text of equal octets is always the same text.
 */

export const IPV4_OCTETS = 4;
export const IPV6_OCTETS = 16;

const CODE_DOT = 0x2e;
const CODE_COLON = 0x3a;
const IPV6_GROUPS = 8;

/**
 * @param text  Dotted decimal without leading zeros, or an IPv6 address (RFC 4291 section 2.2) without a zone.
 * @returns 4 or 16 octets in network order; undefined if the text is no such address.
 */
export function parseIpAddress(text: string): Uint8Array | undefined {
  const octets = new Uint8Array(IPV6_OCTETS);
  const length = writeIpAddress(text, octets, 0);
  return length === 0 ? undefined : octets.subarray(0, length);
}

/**
 * Writes the octets of `text` to `out` at `at`.
 *
 * @param out  Must have room for 16 octets from `at`; they may be overwritten even where 0 is returned.
 * @returns 4, 16, or 0 if the text is no address as `parseIpAddress` accepts it.
 */
export function writeIpAddress(text: string, out: Uint8Array, at: number): 0 | 4 | 16 {
  if (text.includes(":")) return writeIpv6(text, out, at) ? IPV6_OCTETS : 0;
  return writeIpv4(text, 0, out, at) ? IPV4_OCTETS : 0;
}

/**
 * @param length  4 or 16 octets are read from `at`.
 * @returns Dotted decimal, or IPv6 text as RFC 5952 wants it (IPv4-mapped addresses with a dotted end, its section 5).
 */
export function formatIpAddress(bytes: Uint8Array, at: number, length: number): string {
  return length === IPV4_OCTETS ? formatIpv4(bytes, at) : formatIpv6(bytes, at);
}

function writeIpv4(text: string, start: number, out: Uint8Array, at: number): boolean {
  let position = start;
  for (let octet = 0; octet < IPV4_OCTETS; octet++) {
    if (octet > 0 && text.charCodeAt(position++) !== CODE_DOT) return false;
    const first = position;
    let value = 0;
    for (; position < text.length && position - first < 3; position++) {
      const digit = text.charCodeAt(position) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const isPadded = position - first > 1 && text.charCodeAt(first) === 0x30;
    if (position === first || value > 255 || isPadded) return false;
    out[at + octet] = value;
  }
  return position === text.length;
}

function writeIpv6(text: string, out: Uint8Array, at: number): boolean {
  let position = 0;
  let group = 0;
  /** Index of the group where `::` stands; -1 without one. */
  let gap = -1;
  if (text.startsWith("::")) {
    gap = 0;
    position = 2;
  }
  while (position < text.length) {
    if (group === IPV6_GROUPS) return false;
    if (group <= IPV6_GROUPS - 2 && isDottedFrom(text, position)) {
      if (!writeIpv4(text, position, out, at + group * 2)) return false;
      group += 2;
      position = text.length;
      break;
    }
    const first = position;
    let value = 0;
    for (; position < text.length && position - first < 4; position++) {
      const digit = hexDigit(text.charCodeAt(position));
      if (digit < 0) break;
      value = value * 16 + digit;
    }
    if (position === first) return false;
    out[at + group * 2] = value >> 8;
    out[at + group * 2 + 1] = value & 0xff;
    group++;
    if (position === text.length) break;
    if (text.charCodeAt(position++) !== CODE_COLON) return false;
    if (text.charCodeAt(position) === CODE_COLON) {
      if (gap >= 0) return false;
      gap = group;
      position++;
    } else if (position === text.length) return false;
  }
  if (gap < 0) return group === IPV6_GROUPS;
  if (group === IPV6_GROUPS) return false;
  const tailOctets = (group - gap) * 2;
  out.copyWithin(at + IPV6_OCTETS - tailOctets, at + gap * 2, at + group * 2);
  out.fill(0, at + gap * 2, at + IPV6_OCTETS - tailOctets);
  return true;
}

function isDottedFrom(text: string, position: number): boolean {
  const dot = text.indexOf(".", position);
  return dot > position && dot - position <= 3;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}

function formatIpv4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

function formatIpv6(bytes: Uint8Array, at: number): string {
  if (isIpv4Mapped(bytes, at)) return `::ffff:${formatIpv4(bytes, at + 12)}`;
  const [gapStart, gapEnd] = longestZeroRun(bytes, at);
  let text = "";
  for (let group = 0; group < IPV6_GROUPS; group++) {
    if (group === gapStart) {
      text += "::";
      group = gapEnd - 1;
      continue;
    }
    if (group > 0 && group !== gapEnd) text += ":";
    text += groupAt(bytes, at, group).toString(16);
  }
  return text;
}

function isIpv4Mapped(bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < 10; index++) if (bytes[at + index] !== 0) return false;
  return bytes[at + 10] === 0xff && bytes[at + 11] === 0xff;
}

/** RFC 5952 section 4.2: the longest run of at least two zero groups, the first of equals. Empty run: [8, 8]. */
function longestZeroRun(bytes: Uint8Array, at: number): readonly [number, number] {
  let best: readonly [number, number] = [IPV6_GROUPS, IPV6_GROUPS];
  let start = 0;
  for (let group = 0; group <= IPV6_GROUPS; group++) {
    if (group < IPV6_GROUPS && groupAt(bytes, at, group) === 0) continue;
    if (group - start >= 2 && group - start > best[1] - best[0]) best = [start, group];
    start = group + 1;
  }
  return best;
}

function groupAt(bytes: Uint8Array, at: number, group: number): number {
  return (bytes[at + group * 2] << 8) | bytes[at + group * 2 + 1];
}
