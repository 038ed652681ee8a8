import assert from "node:assert/strict";
import { test } from "node:test";
import {
  equalLabels,
  foldCase,
  formatName,
  hashLabels,
  nameOctets,
  parseName,
  ROOT_NAME,
} from "../../../src/dns/name.ts";
import { hex, repeat, wireName } from "./packets.ts";

const READ = [
  { text: "www.example.com.", wire: wireName("www", "example", "com") },
  { text: "www.example.com", wire: wireName("www", "example", "com") },
  { text: ".", wire: [0] },
  {
    text: "_http._tcp.web.shop.svc.cluster.local",
    wire: wireName("_http", "_tcp", "web", "shop", "svc", "cluster", "local"),
  },
  { text: "WwW", wire: wireName("WwW") },
  { text: "*.a", wire: wireName("*", "a") },
  { text: "www\\.bank.com", wire: wireName("www.bank", "com") },
  { text: "a\\\\b", wire: wireName("a\\b") },
  { text: "a\\000b\\255.c", wire: hex("04 61 00 62 ff 01 63 00") },
  { text: "\\a\\(", wire: wireName("a(") },
  { text: "bücher", wire: [7, ...new TextEncoder().encode("bücher"), 0] },
  { text: "a".repeat(63), wire: wireName("a".repeat(63)) },
  { text: "a.".repeat(127), wire: wireName(...repeat(127, "a")) },
];
for (const { text, wire } of READ) {
  test(`parseName() reads ${JSON.stringify(text.slice(0, 40))}`, () => {
    assert.deepEqual(parseName(text), Uint8Array.from(wire));
  });
}

const REFUSED = [
  { text: "", want: { code: "empty-label", reason: "label 1 is empty" } },
  { text: "..", want: { code: "empty-label", reason: "label 1 is empty" } },
  { text: ".a", want: { code: "empty-label", reason: "label 1 is empty" } },
  { text: "a..b", want: { code: "empty-label", reason: "label 2 is empty" } },
  { text: "a..", want: { code: "empty-label", reason: "label 2 is empty" } },
  {
    text: `a.${"b".repeat(64)}.c`,
    want: {
      code: "label-too-long",
      reason: `label 2 ("${"b".repeat(20)}...") has 64 octets, at most 63 are allowed`,
    },
  },
  {
    text: "é".repeat(32),
    want: {
      code: "label-too-long",
      reason: `label 1 ("${"\\195\\169".repeat(10)}...") has 64 octets, at most 63 are allowed`,
    },
  },
  {
    text: `${"a.".repeat(126)}bb`,
    want: { code: "name-too-long", reason: "it takes 256 octets in wire format, at most 255 are allowed" },
  },
  ...["a\\", "a\\1", "a\\12", "a\\256", "a\\1x2", "a\\1/2", "a\\1:2", "a\\12/", "a\\12:"].map((text) => ({
    text,
    want: {
      code: "bad-escape",
      reason: `"${text.slice(1, 5)}" is not an escape; accepted are "\\" and one character, or "\\" and three digits up to 255`,
    },
  })),
];
for (const { text, want } of REFUSED) {
  test(`parseName() says why ${JSON.stringify(text.slice(0, 40))} is no name`, () => {
    assert.deepEqual(parseName(text), want);
  });
}

const FORMATTED = [
  { wire: [0], text: "." },
  { wire: wireName("www", "example", "com"), text: "www.example.com." },
  { wire: wireName("www.bank", "com"), text: "www\\.bank.com." },
  { wire: hex("04 61 00 62 ff 01 63 00"), text: "a\\000b\\255.c." },
  { wire: wireName('."();@$\\'), text: '\\.\\"\\(\\)\\;\\@\\$\\\\.' },
  { wire: wireName(" *_-"), text: "\\032*_-." },
  { wire: wireName("a".repeat(63), "b"), text: `${"a".repeat(63)}.b.` },
  { wire: hex("01 61 c0 0c"), text: "a." },
  { wire: [64, ...repeat(64, 0x61), 0], text: "." },
  { wire: hex("05 61 62"), text: "ab." },
  { wire: [], text: "." },
];
for (const { wire, text } of FORMATTED) {
  test(`formatName() writes [${Buffer.from(wire).toString("hex")}] as ${text}`, () => {
    assert.equal(formatName(Uint8Array.from([9, 9, ...wire]), 2), text);
  });
}

test("nameOctets() counts the root", () => {
  assert.equal(nameOctets(ROOT_NAME, 0), 1);
  assert.equal(nameOctets(Uint8Array.from([7, 7, ...wireName("www", "com"), 9]), 2), 9);
});

test("foldCase() changes A to Z and nothing else", () => {
  const changed = Array.from({ length: 256 }, (_, octet) => octet).filter(
    (octet) => foldCase(octet) !== octet,
  );
  assert.equal(String.fromCharCode(...changed), "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  assert.equal(String.fromCharCode(...changed.map(foldCase)), "abcdefghijklmnopqrstuvwxyz");
});

/** Names that text or a wider notion of case would take for one another. None equals another. */
const CONFUSABLE = [
  wireName("www", "bank", "com"),
  wireName("www.bank", "com"),
  wireName("www.bank.com"),
  wireName("www", "bank.com"),
  hex("04 77777700 04 62616e6b 03 636f6d 00"),
  hex("02 ffe9 03 636f6d 00"),
  hex("02 fee8 03 636f6d 00"),
  hex("02 c3a9 00"),
  hex("02 c389 00"),
  wireName("[", "com"),
  wireName("{", "com"),
  wireName("@"),
  wireName("`"),
].map((wire) => Uint8Array.from(wire));

test("equalLabels() and hashLabels() tell confusable names apart", () => {
  for (const [index, left] of CONFUSABLE.entries()) {
    for (const right of CONFUSABLE.slice(index + 1)) {
      const octets = Math.max(left.length, right.length);
      assert.ok(
        !equalLabels(left, 0, right, 0, octets),
        `${formatName(left, 0)} and ${formatName(right, 0)}`,
      );
      assert.notEqual(hashLabels(left, 0, left.length, 0), hashLabels(right, 0, right.length, 0));
    }
  }
});

test("formatName() writes confusable names differently", () => {
  const texts = CONFUSABLE.map((wire) => formatName(wire, 0));
  assert.equal(new Set(texts).size, CONFUSABLE.length);
});

test("equalLabels() and hashLabels() ignore the case of ASCII letters, at any offset", () => {
  const left = Uint8Array.from([1, 2, ...wireName("WwW", "eXample")]);
  const right = Uint8Array.from(wireName("wWw", "ExaMPLE"));
  assert.ok(equalLabels(left, 2, right, 0, right.length));
  assert.equal(hashLabels(left, 2, left.length, 77), hashLabels(right, 0, right.length, 77));
});

test("hashLabels() reads the given range and nothing else", () => {
  const name = Uint8Array.from(wireName("www", "com"));
  const within = Uint8Array.from([7, ...name, 7]);
  assert.equal(hashLabels(within, 1, 1 + name.length, 5), hashLabels(name, 0, name.length, 5));
});

test("hashLabels() depends on the seed and is a 32-bit integer", () => {
  const name = Uint8Array.from(wireName("www"));
  const hashes = [1, 2, -1].map((seed) => hashLabels(name, 0, name.length, seed));
  assert.equal(new Set(hashes).size, 3);
  assert.deepEqual(
    hashes,
    hashes.map((hash) => hash | 0),
  );
});

test("hashLabels() spreads numbered names over the low bits", () => {
  const buckets = new Uint16Array(256);
  for (let index = 0; index < 25_600; index++) {
    const name = Uint8Array.from(wireName(`web-${index}`, "shop"));
    buckets[hashLabels(name, 0, name.length, 1) & 255]++;
  }
  // 100 expected per bucket; a uniform hash leaves [60, 140] with probability below 1e-3 over all buckets.
  assert.ok(
    Math.min(...buckets) >= 60 && Math.max(...buckets) <= 140,
    `${Math.min(...buckets)}..${Math.max(...buckets)}`,
  );
});
