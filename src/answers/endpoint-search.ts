import { foldCase } from "../dns/name.ts";
import { parseAddressLabel, writeAddressLabel, MAX_ADDRESS_LABEL_OCTETS } from "./address-label.ts";
import { ENTRY4_OCTETS, ENTRY6_OCTETS, readUint32, type ServiceReader } from "./service-block.ts";

/** The entries of one endpoint name, in each family. */
export interface EndpointRange {
  first4: number;
  count4: number;
  first6: number;
  count6: number;
}

const address = new Uint8Array(16);
const spelling = new Uint8Array(1 + MAX_ADDRESS_LABEL_OCTETS + 1);

/**
 * Finds an endpoint of a Service by its label: a hostname, or the dashed address of one that has none.
 *
 * @param labelAt  Offset of the label's length octet.
 * @param range    Filled when found.
 */
export function findEndpoint(
  reader: ServiceReader,
  bytes: Uint8Array,
  labelAt: number,
  range: EndpointRange,
): boolean {
  const host = findHost(reader, bytes, labelAt);
  if (host >= 0) {
    readHostRange(reader, host, range);
    return true;
  }
  const octets = parseAddressLabel(bytes, labelAt + 1, bytes[labelAt], address);
  if (octets === 0 || !isOwnSpelling(bytes, labelAt, octets)) return false;
  range.count4 = 0;
  range.count6 = 0;
  if (octets === 4) {
    range.first4 = lowerBound(reader, reader.entries4At, ENTRY4_OCTETS, reader.dashed4Count);
    range.count4 = runLength(reader, reader.entries4At, ENTRY4_OCTETS, range.first4, reader.dashed4Count);
    return range.count4 > 0;
  }
  range.first6 = lowerBound(reader, reader.entries6At, ENTRY6_OCTETS, reader.dashed6Count);
  range.count6 = runLength(reader, reader.entries6At, ENTRY6_OCTETS, range.first6, reader.dashed6Count);
  return range.count6 > 0;
}

export function readHostRange(reader: ServiceReader, host: number, range: EndpointRange): void {
  const at = reader.hostAt(host);
  range.first4 = readUint32(reader.bytes, at);
  range.count4 = readUint32(reader.bytes, at + 4);
  range.first6 = readUint32(reader.bytes, at + 8);
  range.count6 = readUint32(reader.bytes, at + 12);
}

/** The host whose entries hold `entry`, which is not a dashed one. */
export function hostOfEntry(reader: ServiceReader, entry: number, isIpv6: boolean): number {
  const field = isIpv6 ? 8 : 0;
  let low = 0;
  let high = reader.hostCount - 1;
  // The last host that begins at or before the entry: hosts without entries begin where the next one does.
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (readUint32(reader.bytes, reader.hostAt(middle) + field) <= entry) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function equalOctets(bytes: Uint8Array, left: number, right: number, octets: number): boolean {
  for (let index = 0; index < octets; index++) {
    if (bytes[left + index] !== bytes[right + index]) return false;
  }
  return true;
}

/** Another spelling of the same address is another name (RFC 4343: only case is ignored). */
function isOwnSpelling(bytes: Uint8Array, labelAt: number, octets: number): boolean {
  const end = writeAddressLabel(address, 0, octets, spelling, 1);
  if (end - 1 !== bytes[labelAt]) return false;
  for (let index = 1; index < end; index++) {
    if (spelling[index] !== foldCase(bytes[labelAt + index])) return false;
  }
  return true;
}

function lowerBound(reader: ServiceReader, base: number, stride: number, count: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareAddress(reader.bytes, base + middle * stride, stride - 2) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function runLength(
  reader: ServiceReader,
  base: number,
  stride: number,
  first: number,
  count: number,
): number {
  let end = first;
  while (end < count && compareAddress(reader.bytes, base + end * stride, stride - 2) === 0) end++;
  return end - first;
}

function compareAddress(bytes: Uint8Array, at: number, octets: number): number {
  for (let index = 0; index < octets; index++) {
    const difference = bytes[at + index] - address[index];
    if (difference !== 0) return difference;
  }
  return 0;
}

function findHost(reader: ServiceReader, bytes: Uint8Array, labelAt: number): number {
  let low = 0;
  let high = reader.hostCount - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const order = compareLabel(reader.bytes, reader.hostLabelAt(middle), bytes, labelAt);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** By octets, the shorter first where one is the beginning of the other: the order of JavaScript's `sort`. */
function compareLabel(stored: Uint8Array, storedAt: number, bytes: Uint8Array, at: number): number {
  const shared = Math.min(stored[storedAt], bytes[at]);
  for (let index = 1; index <= shared; index++) {
    const difference = stored[storedAt + index] - foldCase(bytes[at + index]);
    if (difference !== 0) return difference;
  }
  return stored[storedAt] - bytes[at];
}
