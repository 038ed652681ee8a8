import assert from "node:assert/strict";
import { test } from "node:test";
import { formatIpAddress, parseIpAddress } from "../../../src/model/ip-address.ts";

function canonical(text: string): string | undefined {
  const octets = parseIpAddress(text);
  return octets && formatIpAddress(octets, 0, octets.length);
}

const CANONICAL = [
  "0.0.0.0",
  "10.96.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "1::",
  "fd00::1:0:0:53",
  "2001:db8::1",
  "2001:db8:0:1:1:1:1:1",
  "1:2:3:4:5:6:7:8",
  "::ffff:10.0.0.1",
  "64:ff9b::a00:1",
];
for (const text of CANONICAL) {
  test(`${text} comes back as it is`, () => assert.equal(canonical(text), text));
}

const OTHER_FORMS = [
  { text: "2001:DB8::1", gives: "2001:db8::1", why: "lower case, RFC 5952 section 4.3" },
  { text: "2001:0db8:0000::0001", gives: "2001:db8::1", why: "no leading zeros, section 4.1" },
  {
    text: "2001:db8:0:0:1:0:0:1",
    gives: "2001:db8::1:0:0:1",
    why: "the first of two equal runs, section 4.2.3",
  },
  { text: "2001:0:0:1:0:0:0:1", gives: "2001:0:0:1::1", why: "the longest run, section 4.2.3" },
  { text: "2001:db8::1:1:1:1:1", gives: "2001:db8:0:1:1:1:1:1", why: "no :: for one group, section 4.2.2" },
  { text: "1:2:3:4:5:6:7::", gives: "1:2:3:4:5:6:7:0", why: "no :: for one group, section 4.2.2" },
  { text: "::ffff:0a00:0001", gives: "::ffff:10.0.0.1", why: "IPv4-mapped is dotted, section 5" },
  { text: "64:ff9b::10.0.0.1", gives: "64:ff9b::a00:1", why: "other dotted ends are not" },
];
for (const { text, gives, why } of OTHER_FORMS) {
  test(`${text} becomes ${gives}: ${why}`, () => assert.equal(canonical(text), gives));
}

const NO_ADDRESSES = [
  "",
  "None",
  "1.2.3",
  "1.2.3.4.5",
  "1.2.3.256",
  "01.2.3.4",
  "1.2.3.4 ",
  "1..3.4",
  "1.2.3.4.",
  "0x1.2.3.4",
  ":",
  ":::",
  "1:",
  ":1",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "1::2::3",
  "12345::",
  "fe80::1%eth0",
  "::1.2.3.4.5",
  "1.2.3.4::",
  "1:2:3:4:5:6:7:1.2.3.4",
  "g::",
];
for (const text of NO_ADDRESSES) {
  test(`"${text}" is no address`, () => assert.equal(parseIpAddress(text), undefined));
}

test("formatIpAddress() reads from its offset", () => {
  assert.equal(formatIpAddress(Uint8Array.of(9, 9, 10, 0, 0, 1, 9), 2, 4), "10.0.0.1");
});
