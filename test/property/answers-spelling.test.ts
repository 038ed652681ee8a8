/** Addresses as labels and as reverse names, against what the platform thinks of the same text. */
import assert from "node:assert/strict";
import { isIPv4, isIPv6 } from "node:net";
import { test } from "node:test";
import * as fc from "fast-check";
import ipaddr from "ipaddr.js";
import { parseAddressLabel, writeAddressLabel } from "../../src/answers/address-label.ts";
import { isReverseNamePart, parseReverseName } from "../../src/answers/reverse-name.ts";

const RUNS = { numRuns: 3000 };
const octet = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 }));
const address4 = fc.array(octet, { minLength: 4, maxLength: 4 });
const address6 = fc.oneof(
  fc.array(octet, { minLength: 16, maxLength: 16 }),
  fc
    .array(fc.constantFrom(0, 0, 0, 1, 0xffff), { minLength: 8, maxLength: 8 })
    .map((groups) => groups.flatMap((group) => [group >> 8, group & 255])),
);

function written(octets: readonly number[]): string {
  const out = new Uint8Array(64);
  const end = writeAddressLabel(Uint8Array.from([9, ...octets]), 1, octets.length, out, 2);
  return new TextDecoder().decode(out.subarray(2, end));
}

/** @returns The octets; undefined for no address. */
function parsed(label: string): number[] | undefined {
  const bytes = new TextEncoder().encode(`_${label}_`);
  // What was in it before must not matter.
  const address = new Uint8Array(16).fill(0xaa);
  const octets = parseAddressLabel(bytes, 1, bytes.length - 2, address);
  return octets === 0 ? undefined : [...address.subarray(0, octets)];
}

/** CoreDNS's rule with the platform's parsers. */
function reference(label: string): number[] | undefined {
  const dashes = label.split("-").length - 1;
  const isShapedLike4 = dashes === 3 && !label.includes("--");
  const text = label.replaceAll("-", isShapedLike4 ? "." : ":");
  const isAddress = isShapedLike4 ? isIPv4(text) : isIPv6(text);
  return isAddress ? ipaddr.parse(text).toByteArray() : undefined;
}

test("writeAddressLabel() writes IPv4 with dashes", () => {
  fc.assert(
    fc.property(address4, (octets) => assert.equal(written(octets), octets.join("-"))),
    RUNS,
  );
});

test("writeAddressLabel() writes the shortest IPv6 text with dashes", () => {
  fc.assert(
    fc.property(address6, (octets) => {
      const text = new ipaddr.IPv6(octets).toRFC5952String().replaceAll(":", "-");
      assert.equal(written(octets), text.endsWith("-") ? `${text}0` : text);
    }),
    RUNS,
  );
});

test("parseAddressLabel() reads back what was written", () => {
  fc.assert(
    fc.property(fc.oneof(address4, address6), (octets) => {
      assert.deepEqual(parsed(written(octets)), octets);
    }),
    RUNS,
  );
});

const almostAddress = fc
  .tuple(fc.oneof(address4, address6), fc.nat(50), fc.constantFrom("-", "--", "0", "f", "g", "00", "256", ""))
  .map(([octets, at, text]) => {
    const label = written(octets);
    return label.slice(0, at) + text + label.slice(at + 1);
  });

test("parseAddressLabel() reads what the platform takes for an address, and nothing else", () => {
  const label = fc.oneof(
    fc.string({ unit: fc.constantFrom(..."0129afAFg-".split("")), maxLength: 45 }),
    almostAddress,
    fc.string({ maxLength: 20 }).filter((text) => /^[\x21-\x7e]*$/.test(text) && !/[.:%]/.test(text)),
  );
  fc.assert(
    fc.property(label, (label) => {
      // Longer than any address that has no leading zeros to spare.
      if (label.length <= 39) assert.deepEqual(parsed(label), reference(label), label);
      else assert.equal(parsed(label), undefined);
    }),
    { numRuns: 20_000 },
  );
});

interface WireLabels {
  readonly bytes: Uint8Array;
  readonly offsets: Uint16Array;
}

function toWire(labels: readonly string[]): WireLabels {
  const octets = labels.flatMap((label) => [label.length, ...new TextEncoder().encode(label)]);
  const offsets = new Uint16Array(labels.length + 1);
  for (let index = 0; index < labels.length; index++) {
    offsets[index + 1] = offsets[index] + labels[index].length + 1;
  }
  return { bytes: Uint8Array.from([...octets, 0]), offsets };
}

function readReverse(labels: readonly string[], isIpv6: boolean): number[] | undefined {
  const { bytes, offsets } = toWire(labels);
  const address = new Uint8Array(16).fill(0xaa);
  const octets = parseReverseName(bytes, offsets, labels.length, isIpv6, address);
  return octets === 0 ? undefined : [...address.subarray(0, octets)];
}

const label4 = fc.oneof(
  { weight: 8, arbitrary: octet.map(String) },
  { weight: 1, arbitrary: fc.constantFrom("00", "01", "256", "1000", "x", "1x", "-1", "+1", "*") },
);

test("parseReverseName() reads four numbers in their one spelling", () => {
  fc.assert(
    fc.property(fc.array(label4, { minLength: 3, maxLength: 5 }), (labels) => {
      const text = labels.toReversed().join(".");
      const expected = isIPv4(text) ? ipaddr.parse(text).toByteArray() : undefined;
      assert.deepEqual(readReverse(labels, false), expected, text);
    }),
    RUNS,
  );
});

const label6 = fc.oneof(
  { weight: 200, arbitrary: fc.constantFrom(..."0123456789abcdefABCDEF".split("")) },
  { weight: 1, arbitrary: fc.constantFrom("g", "10", "-", "_") },
);

test("parseReverseName() reads 32 hexadecimal digits", () => {
  const labels = fc.oneof(
    fc.array(label6, { minLength: 32, maxLength: 32 }),
    fc.array(label6, { minLength: 31, maxLength: 33 }),
  );
  fc.assert(
    fc.property(labels, (labels) => {
      const digits = labels.toReversed().join("");
      const isAddress = labels.length === 32 && /^[0-9a-fA-F]{32}$/.test(digits);
      const text = digits.match(/.{4}/g)?.join(":") ?? "";
      assert.deepEqual(readReverse(labels, true), isAddress ? ipaddr.parse(text).toByteArray() : undefined);
    }),
    RUNS,
  );
});

test("isReverseNamePart() takes what further labels can make an address", () => {
  fc.assert(
    fc.property(fc.array(label4, { maxLength: 4 }), (labels) => {
      const { bytes, offsets } = toWire(labels);
      const whole = [...Array.from({ length: Math.max(0, 4 - labels.length) }, () => "0"), ...labels];
      const expected = labels.length < 4 && isIPv4(whole.toReversed().join("."));
      assert.equal(isReverseNamePart(bytes, offsets, labels.length, false), expected);
    }),
    RUNS,
  );
});
