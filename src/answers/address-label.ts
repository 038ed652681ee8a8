/**
 * IP addresses as one label: `10-244-0-7`, `fd00--1`. Endpoints without hostname and pod names are spelled so
 * (Kubernetes DNS specification 1.1.0 section 2.1 leaves the identifier open; this is what CoreDNS writes and people use).
 */

const DASH = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const LETTER_A = 0x61;
const LETTER_F = 0x66;

/** The longest one: eight groups of four digits and seven dashes. */
export const MAX_ADDRESS_LABEL_OCTETS = 39;

/** Writes the label without its length octet. @returns The offset behind it. */
export function writeAddressLabel(
  bytes: Uint8Array,
  at: number,
  octets: number,
  out: Uint8Array,
  to: number,
): number {
  return octets === 4 ? writeLabel4(bytes, at, out, to) : writeLabel6(bytes, at, out, to);
}

function writeLabel4(bytes: Uint8Array, at: number, out: Uint8Array, to: number): number {
  let end = to;
  for (let index = 0; index < 4; index++) {
    if (index > 0) out[end++] = DASH;
    const value = bytes[at + index];
    if (value >= 100) out[end++] = DIGIT_0 + ((value / 100) | 0);
    if (value >= 10) out[end++] = DIGIT_0 + (((value / 10) | 0) % 10);
    out[end++] = DIGIT_0 + (value % 10);
  }
  return end;
}

/** The shortest text of RFC 5952, with dashes for colons; a final dash gets a `0`, since no label of ours ends in one. */
function writeLabel6(bytes: Uint8Array, at: number, out: Uint8Array, to: number): number {
  const zeros = longestZeroRun(bytes, at);
  const zerosEnd = zeros + zeroRunLength(bytes, at, zeros);
  let end = to;
  for (let group = 0; group < 8; group++) {
    if (group === zeros) {
      out[end++] = DASH;
      if (group === 0) out[end++] = DASH;
      group = zerosEnd - 1;
      continue;
    }
    end = writeGroup((bytes[at + group * 2] << 8) | bytes[at + group * 2 + 1], out, end);
    if (group < 7) out[end++] = DASH;
  }
  if (out[end - 1] === DASH) out[end++] = DIGIT_0;
  return end;
}

function writeGroup(value: number, out: Uint8Array, to: number): number {
  let end = to;
  for (let shift = 12; shift >= 0; shift -= 4) {
    const digit = (value >>> shift) & 15;
    if (digit === 0 && end === to && shift > 0) continue;
    out[end++] = digit < 10 ? DIGIT_0 + digit : LETTER_A + digit - 10;
  }
  return end;
}

function isZeroGroup(bytes: Uint8Array, at: number, group: number): boolean {
  return bytes[at + group * 2] === 0 && bytes[at + group * 2 + 1] === 0;
}

function zeroRunLength(bytes: Uint8Array, at: number, first: number): number {
  let length = 0;
  while (first + length < 8 && isZeroGroup(bytes, at, first + length)) length++;
  return length;
}

/** The first group of the longest run of two or more zero groups (RFC 5952 section 4.2), or 8. */
function longestZeroRun(bytes: Uint8Array, at: number): number {
  let best = 8;
  let bestLength = 1;
  for (let group = 0; group < 8; group++) {
    const length = zeroRunLength(bytes, at, group);
    if (length > bestLength) {
      best = group;
      bestLength = length;
    }
    group += length;
  }
  return best;
}

/**
 * Reads a label as an address: exactly three dashes and no double one is IPv4, anything else IPv6 (CoreDNS's rule).
 *
 * @param address Gets the address; 16 octets long.
 * @returns 4, 16, or 0 when it is neither.
 */
export function parseAddressLabel(
  bytes: Uint8Array,
  at: number,
  octets: number,
  address: Uint8Array,
): number {
  if (octets === 0 || octets > MAX_ADDRESS_LABEL_OCTETS) return 0;
  let dashes = 0;
  let hasDouble = false;
  for (let index = 0; index < octets; index++) {
    if (bytes[at + index] !== DASH) continue;
    dashes++;
    if (index > 0 && bytes[at + index - 1] === DASH) hasDouble = true;
  }
  if (dashes === 3 && !hasDouble) return parseLabel4(bytes, at, octets, address) ? 4 : 0;
  return parseLabel6(bytes, at, octets, address) ? 16 : 0;
}

function parseLabel4(bytes: Uint8Array, at: number, octets: number, address: Uint8Array): boolean {
  let part = 0;
  let value = -1;
  for (let index = 0; index <= octets; index++) {
    const octet = index === octets ? DASH : bytes[at + index];
    if (octet === DASH) {
      if (value < 0) return false;
      address[part++] = value;
      value = -1;
      continue;
    }
    if (octet < DIGIT_0 || octet > DIGIT_9 || value === 0) return false;
    value = (value < 0 ? 0 : value * 10) + octet - DIGIT_0;
    if (value > 255) return false;
  }
  return part === 4;
}

function parseLabel6(bytes: Uint8Array, at: number, octets: number, address: Uint8Array): boolean {
  let groups = 0;
  let gap = -1;
  let index = 0;
  if (bytes[at] === DASH) {
    // A leading dash is only the first of a double one.
    if (octets < 2 || bytes[at + 1] !== DASH) return false;
    gap = 0;
    index = 2;
  }
  while (index < octets) {
    if (groups === 8) return false;
    let value = 0;
    let digits = 0;
    while (index < octets && bytes[at + index] !== DASH) {
      const digit = hexDigit(bytes[at + index++]);
      if (digit < 0 || ++digits > 4) return false;
      value = (value << 4) | digit;
    }
    if (digits === 0) return false;
    address[groups * 2] = value >>> 8;
    address[groups * 2 + 1] = value;
    groups++;
    if (index === octets) break;
    index++;
    if (index < octets && bytes[at + index] === DASH) {
      if (gap >= 0) return false;
      gap = groups;
      index++;
    } else if (index === octets) return false;
  }
  return gap < 0 ? groups === 8 : groups < 8 && spreadGroups(address, groups, gap);
}

function spreadGroups(address: Uint8Array, groups: number, gap: number): boolean {
  const moved = (groups - gap) * 2;
  address.copyWithin(16 - moved, gap * 2, gap * 2 + moved);
  address.fill(0, gap * 2, 16 - moved);
  return true;
}

function hexDigit(octet: number): number {
  if (octet >= DIGIT_0 && octet <= DIGIT_9) return octet - DIGIT_0;
  const folded = octet | 0x20;
  return folded >= LETTER_A && folded <= LETTER_F ? folded - LETTER_A + 10 : -1;
}
