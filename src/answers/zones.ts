import { equalLabels, parseName } from "../dns/name.ts";

/** A zone that is served, in the form the answer path compares. */
export interface Zone {
  /** Absolute name in wire form, lower case. */
  readonly wire: Uint8Array;
  /** Labels, the root not counted. */
  readonly labelCount: number;
}

export const REVERSE_4 = toZone("in-addr.arpa");
export const REVERSE_6 = toZone("ip6.arpa");

/** @param name  A valid domain name (the configuration has checked it). */
export function toZone(name: string): Zone {
  const wire = parseName(name.toLowerCase());
  if (!(wire instanceof Uint8Array)) throw new TypeError(`Cannot serve the zone "${name}": ${wire.reason}`);
  let labelCount = 0;
  for (let at = 0; wire[at] !== 0; at += wire[at] + 1) labelCount++;
  return { wire, labelCount };
}

/** Whether a name with these labels is at or below the zone. */
export function isInZone(zone: Zone, bytes: Uint8Array, offsets: Uint16Array, labelCount: number): boolean {
  if (labelCount < zone.labelCount) return false;
  const from = offsets[labelCount - zone.labelCount];
  return (
    offsets[labelCount] + 1 - from === zone.wire.length &&
    equalLabels(zone.wire, 0, bytes, from, zone.wire.length)
  );
}

export function isReverseZone(zone: Zone): boolean {
  const offsets = new Uint16Array(128);
  let count = 0;
  let at = 0;
  for (; zone.wire[at] !== 0; at += zone.wire[at] + 1) offsets[count++] = at;
  offsets[count] = at;
  return isInZone(REVERSE_4, zone.wire, offsets, count) || isInZone(REVERSE_6, zone.wire, offsets, count);
}
