/**
 * Reads the owner names of PTR records: `4.3.2.1.in-addr.arpa` and 32 nibbles below `ip6.arpa` (RFC 1035 section 3.5,
 * RFC 3596 section 2.5).
 */

/** Every label below the reverse tree reads as an address. */
const REVERSE_ADDRESS_LABELS_4 = 4;
const REVERSE_ADDRESS_LABELS_6 = 32;

const DIGIT_0 = 0x30;

/**
 * @param offsets Where each label's length octet stands, leftmost first.
 * @param count   Labels in front of `in-addr.arpa` or `ip6.arpa`.
 * @param address Gets the address; 16 octets long.
 * @returns 4 or 16; 0 when the labels are not a whole address in its one canonical spelling.
 */
export function parseReverseName(
  bytes: Uint8Array,
  offsets: Uint16Array,
  count: number,
  isIpv6: boolean,
  address: Uint8Array,
): number {
  if (isIpv6) return count === REVERSE_ADDRESS_LABELS_6 && parseNibbles(bytes, offsets, address) ? 16 : 0;
  return count === REVERSE_ADDRESS_LABELS_4 && parseDecimals(bytes, offsets, address) ? 4 : 0;
}

/** Whether the labels are the beginning of an address, but not a whole one: an empty non-terminal, if anything. */
export function isReverseNamePart(
  bytes: Uint8Array,
  offsets: Uint16Array,
  count: number,
  isIpv6: boolean,
): boolean {
  if (count >= (isIpv6 ? REVERSE_ADDRESS_LABELS_6 : REVERSE_ADDRESS_LABELS_4)) return false;
  for (let label = 0; label < count; label++) {
    const at = offsets[label];
    if ((isIpv6 ? nibble(bytes, at) : decimal(bytes, at)) < 0) return false;
  }
  return true;
}

function parseDecimals(bytes: Uint8Array, offsets: Uint16Array, address: Uint8Array): boolean {
  for (let label = 0; label < 4; label++) {
    const value = decimal(bytes, offsets[label]);
    if (value < 0) return false;
    address[3 - label] = value;
  }
  return true;
}

/** The label at `at` as a number up to 255 in its canonical spelling, or a negative number. */
function decimal(bytes: Uint8Array, at: number): number {
  const octets = bytes[at];
  if (octets > 3 || (octets > 1 && bytes[at + 1] === DIGIT_0)) return -1;
  let value = 0;
  for (let index = 1; index <= octets; index++) {
    const digit = bytes[at + index] - DIGIT_0;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value > 255 ? -1 : value;
}

function parseNibbles(bytes: Uint8Array, offsets: Uint16Array, address: Uint8Array): boolean {
  for (let label = 0; label < 32; label += 2) {
    const low = nibble(bytes, offsets[label]);
    const high = nibble(bytes, offsets[label + 1]);
    if (low < 0 || high < 0) return false;
    address[15 - (label >> 1)] = (high << 4) | low;
  }
  return true;
}

function nibble(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== 1) return -1;
  const octet = bytes[at + 1];
  if (octet >= DIGIT_0 && octet <= 0x39) return octet - DIGIT_0;
  const folded = octet | 0x20;
  return folded >= 0x61 && folded <= 0x66 ? folded - 0x57 : -1;
}
