import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { equalLabels, foldCase, formatName, hashLabels, nameOctets, parseName } from "../../src/dns/name.ts";
import { names, SEEDED } from "./dns-arbitraries.ts";

const runs = { ...SEEDED, numRuns: 1000 };

test("parseName() gives back what formatName() wrote, in printable ASCII", () => {
  fc.assert(
    fc.property(names, (name) => {
      const text = formatName(name, 0);
      assert.match(text, /^[\x21-\x7e]+$/);
      assert.deepEqual(parseName(text), name);
      assert.equal(nameOctets(name, 0), name.length);
    }),
    runs,
  );
});

test("parseName() gives a whole name or a reason for any text", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[a.\\0-9]{0,300}$/)), (text) => {
      const result = parseName(text);
      if (!(result instanceof Uint8Array)) return assert.ok(result.reason.length > 0);
      assert.equal(nameOctets(result, 0), result.length);
      assert.deepEqual(parseName(formatName(result, 0)), result);
    }),
    runs,
  );
});

test("formatName() never throws, for any octets and offset", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (octets, at) => {
      assert.ok(formatName(octets, at).endsWith("."));
    }),
    runs,
  );
});

test("names are equal exactly when their folded octets are, and equal names have one hash", () => {
  fc.assert(
    fc.property(names, names, fc.integer(), (left, right, seed) => {
      const shouted = left.map((octet, index) => (isLetter(octet) && index % 2 === 0 ? octet ^ 0x20 : octet));
      const hash = hashLabels(left, 0, left.length, seed);
      assert.ok(equalLabels(left, 0, shouted, 0, left.length));
      assert.equal(hashLabels(shouted, 0, left.length, seed), hash);
      if (left.length !== right.length) return;
      const isEqual = left.map(foldCase).every((octet, index) => octet === foldCase(right[index]));
      assert.equal(equalLabels(left, 0, right, 0, left.length), isEqual);
    }),
    runs,
  );
});

function isLetter(octet: number): boolean {
  return /^[a-zA-Z]$/.test(String.fromCharCode(octet));
}
