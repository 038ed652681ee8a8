import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatClass,
  formatExtendedErrorCode,
  formatRcode,
  formatType,
  parseType,
} from "../../../src/dns/mnemonics.ts";

const TYPES = [
  { number: 1, name: "A" },
  { number: 33, name: "SRV" },
  { number: 255, name: "ANY" },
  { number: 0, name: "TYPE0" },
  { number: 1000, name: "TYPE1000" },
  { number: 65_535, name: "TYPE65535" },
];
for (const { number, name } of TYPES) {
  test(`formatType() and parseType() agree on ${name}`, () => {
    assert.equal(formatType(number), name);
    assert.equal(parseType(name), number);
    assert.equal(parseType(name.toLowerCase()), number);
  });
}

test("parseType() takes a known type by its number too", () => {
  assert.equal(parseType("TYPE28"), 28);
});

for (const text of ["", "AAAAA", "TYPE", "TYPE65536", "TYPE-1", "TYPE1x", "1"]) {
  test(`parseType() refuses ${JSON.stringify(text)}`, () => assert.equal(parseType(text), undefined));
}

test("formatClass(), formatRcode() and formatExtendedErrorCode() fall back to the number", () => {
  assert.deepEqual([1, 3, 4, 255].map(formatClass), ["IN", "CH", "HS", "CLASS255"]);
  assert.deepEqual([0, 3, 5, 16, 11].map(formatRcode), [
    "NOERROR",
    "NXDOMAIN",
    "REFUSED",
    "BADVERS",
    "RCODE11",
  ]);
  assert.deepEqual([3, 14, 19, 22, 29, 49_152].map(formatExtendedErrorCode), [
    "Stale Answer",
    "Not Ready",
    "Stale NXDOMAIN Answer",
    "No Reachable Authority",
    "Synthesized",
    "EDE49152",
  ]);
});
