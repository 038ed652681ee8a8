import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createQuery,
  MAX_QUERY_OPTIONS,
  MAX_QUERY_RECORDS,
  parseQuery,
  QUERY_BADVERS,
  QUERY_DROP,
  QUERY_FORMERR,
  QUERY_NOTIMP,
  QUERY_OK,
  type Query,
} from "../../../src/dns/query.ts";
import { countReads, hex, opt, packet, QUESTION, record, repeat, uint16, wireName } from "./packets.ts";

const COOKIE = hex("000a 0008 0102030405060708");
const KEEPALIVE = hex("000b 0000");
const ROOT = [0];

interface QueryCase {
  readonly name: string;
  readonly message: Uint8Array;
  readonly outcome: number;
  readonly want?: Partial<Query>;
}

const ACCEPTED: readonly QueryCase[] = [
  {
    name: "a plain query",
    message: packet({ id: 0xbeef }, QUESTION),
    outcome: QUERY_OK,
    want: { id: 0xbeef, flags: 0x0100, opcode: 0, hasQuestion: true, questionEnd: 33, qtype: 1, qclass: 1 },
  },
  {
    name: "a plain query has no EDNS and 512 octets of payload",
    message: packet({}, QUESTION),
    outcome: QUERY_OK,
    want: { hasEdns: false, udpPayloadOctets: 512, dnssecOk: false, hasTcpKeepalive: false, labelCount: 3 },
  },
  {
    name: "the root name",
    message: packet({}, ROOT, hex("0002 0001")),
    outcome: QUERY_OK,
    want: { labelCount: 0, questionEnd: 17, qtype: 2 },
  },
  {
    name: "EDNS with DO",
    message: packet({ counts: [1, 0, 0, 1] }, QUESTION, opt({ udpPayloadOctets: 4096, dnssecOk: true })),
    outcome: QUERY_OK,
    want: { hasEdns: true, ednsVersion: 0, udpPayloadOctets: 4096, dnssecOk: true },
  },
  {
    name: "a payload size below 512 counts as 512",
    message: packet({ counts: [1, 0, 0, 1] }, QUESTION, opt({ udpPayloadOctets: 511 })),
    outcome: QUERY_OK,
    want: { udpPayloadOctets: 512 },
  },
  {
    name: "unknown EDNS flags and options are ignored",
    message: packet({ counts: [1, 0, 0, 1] }, QUESTION, [
      ...hex("00 0029 04d0 00007fff"),
      ...uint16(COOKIE.length + 4),
      ...COOKIE,
      ...hex("0064 0000"),
    ]),
    outcome: QUERY_OK,
    want: { hasEdns: true, dnssecOk: false, hasTcpKeepalive: false },
  },
  {
    name: "edns-tcp-keepalive behind another option",
    message: packet({ counts: [1, 0, 0, 1] }, QUESTION, opt({ rdata: [...COOKIE, ...KEEPALIVE] })),
    outcome: QUERY_OK,
    want: { hasTcpKeepalive: true },
  },
  {
    name: "options behind the eighth are not read",
    message: packet(
      { counts: [1, 0, 0, 1] },
      QUESTION,
      opt({ rdata: [...Array.from({ length: MAX_QUERY_OPTIONS }, () => COOKIE).flat(), ...KEEPALIVE, 0xff] }),
    ),
    outcome: QUERY_OK,
    want: { hasTcpKeepalive: false },
  },
  {
    name: "TC, AA, RA, Z, AD and CD set",
    message: packet({ flags: 0x07f0 }, QUESTION),
    outcome: QUERY_OK,
    want: { flags: 0x07f0 },
  },
  {
    name: "an RCODE in a query",
    message: packet({ flags: 0x010f }, QUESTION),
    outcome: QUERY_OK,
  },
  {
    name: "a TSIG behind the OPT",
    message: packet(
      { counts: [1, 0, 0, 2] },
      QUESTION,
      opt(),
      record(wireName("key"), 250, hex("0102 0304 05")),
    ),
    outcome: QUERY_OK,
    want: { hasEdns: true },
  },
  {
    name: "a SIG(0) record",
    message: packet({ counts: [1, 0, 0, 1] }, QUESTION, record(ROOT, 24, hex("0000 0500"))),
    outcome: QUERY_OK,
  },
  {
    name: "records in the answer and authority sections, with compressed owners",
    message: packet(
      { counts: [1, 1, 1, 1] },
      QUESTION,
      record(hex("c00c"), 1, hex("0a000001")),
      record([1, 0x61, ...hex("c010")], 28, repeat(16, 0)),
      opt(),
    ),
    outcome: QUERY_OK,
    want: { hasEdns: true },
  },
  {
    name: "an A record of class CH, which has another form",
    message: packet({ counts: [1, 1, 0, 0] }, QUESTION, hex("00 0001 0003 00000000 0003 000102")),
    outcome: QUERY_OK,
  },
  {
    name: "an A record of class 257",
    message: packet({ counts: [1, 1, 0, 0] }, QUESTION, hex("00 0001 0101 00000000 0003 000102")),
    outcome: QUERY_OK,
  },
  {
    name: "an owner that points to an octet beyond 255",
    message: packet(
      { counts: [1, 2, 0, 0] },
      QUESTION,
      record([0], 1000, repeat(300, 0)),
      record(hex("c104"), 1000, []),
    ),
    outcome: QUERY_OK,
  },
  {
    name: "octets behind the last record are ignored",
    message: packet({ counts: [1, 0, 0, 1] }, QUESTION, opt(), hex("deadbeef")),
    outcome: QUERY_OK,
    want: { hasEdns: true },
  },
  {
    name: "as many records as are walked",
    message: packet(
      { counts: [1, 0, 0, MAX_QUERY_RECORDS] },
      QUESTION,
      ...Array.from({ length: MAX_QUERY_RECORDS - 1 }, () => record(ROOT, 1000, [])),
      opt(),
    ),
    outcome: QUERY_OK,
    want: { hasEdns: true },
  },
  {
    name: "a label of 63 octets",
    message: packet({}, wireName("a".repeat(63)), hex("0001 0001")),
    outcome: QUERY_OK,
    want: { labelCount: 1 },
  },
  {
    name: "a name of 255 octets in 127 labels",
    message: packet({}, wireName(...repeat(127, "a")), hex("0001 0001")),
    outcome: QUERY_OK,
    want: { labelCount: 127, questionEnd: 12 + 255 + 4 },
  },
];

const REFUSED: readonly QueryCase[] = [
  { name: "no octets", message: new Uint8Array(0), outcome: QUERY_DROP },
  { name: "11 octets", message: packet({}).subarray(0, 11), outcome: QUERY_DROP },
  { name: "a response", message: packet({ flags: 0x8180 }, QUESTION), outcome: QUERY_DROP },
  {
    name: "a response of 12 octets",
    message: packet({ flags: 0x8000, counts: [0, 0, 0, 0] }),
    outcome: QUERY_DROP,
  },
  {
    name: "NOTIFY with a question",
    message: packet({ flags: 0x2400 }, QUESTION),
    outcome: QUERY_NOTIMP,
    want: { opcode: 4, hasQuestion: false, hasEdns: false },
  },
  {
    name: "OPCODE 15 without a body",
    message: packet({ id: 7, flags: 0x7800, counts: [0, 0, 0, 0] }),
    outcome: QUERY_NOTIMP,
    want: { id: 7, opcode: 15, hasQuestion: false },
  },
  {
    name: "UPDATE with a body that cannot be read",
    message: packet({ flags: 0x2800, counts: [0xffff, 0xffff, 0xffff, 0xffff] }, hex("ff ff")),
    outcome: QUERY_NOTIMP,
    want: { opcode: 5 },
  },
  {
    name: "no question",
    message: packet({ counts: [0, 0, 0, 0] }),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: false, hasEdns: false, questionEnd: 12 },
  },
  {
    name: "no question, but an OPT",
    message: packet({ counts: [0, 0, 0, 1] }, opt({ udpPayloadOctets: 4096 })),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: false, hasEdns: true, udpPayloadOctets: 4096 },
  },
  {
    name: "two questions and an OPT",
    message: packet({ counts: [2, 0, 0, 1] }, QUESTION, QUESTION, opt()),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: false, hasEdns: true },
  },
  {
    name: "two questions announced, one sent",
    message: packet({ counts: [2, 0, 0, 0] }, QUESTION),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: false },
  },
  {
    name: "all counts 0xffff and nothing else",
    message: packet({ counts: [0xffff, 0xffff, 0xffff, 0xffff] }),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: false },
  },
  {
    name: "one question announced and nothing else",
    message: packet({}),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: false },
  },
  {
    name: "a pointer for a QNAME",
    message: packet({}, hex("c00c 0001 0001")),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: false },
  },
  {
    name: "a pointer behind labels of the QNAME",
    message: packet({}, [1, 0x61, ...hex("c00c 0001 0001")]),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: false },
  },
  {
    name: "a label of type 01",
    message: packet({}, [0x41, ...repeat(65, 0x61), 0], hex("0001 0001")),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: false },
  },
  {
    name: "a label of type 10",
    message: packet({}, [0x80, 0], hex("0001 0001")),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: false },
  },
  {
    name: "a name of 256 octets",
    message: packet({}, wireName(...repeat(126, "a"), "bb"), hex("0001 0001")),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: false },
  },
  {
    name: "a name that runs past the end",
    message: packet({}, [5, 0x61, 0x62]),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: false },
  },
  {
    name: "a question without all of its QCLASS",
    message: packet({}, QUESTION.slice(0, -1)),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: false },
  },
  {
    name: "a record announced and not sent",
    message: packet({ counts: [1, 0, 0, 1] }, QUESTION),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: true, hasEdns: false },
  },
  {
    name: "a record count of 0xffff behind a question",
    message: packet({ counts: [1, 0xffff, 0xffff, 0xffff] }, QUESTION),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: true },
  },
  {
    name: "RDLENGTH past the end",
    message: packet({ counts: [1, 0, 0, 1] }, QUESTION, hex("00 0029 04d0 00000000 0001")),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: true },
  },
  {
    name: "an A record of 5 octets before the OPT",
    message: packet({ counts: [1, 1, 0, 1] }, QUESTION, record(ROOT, 1, hex("0102030405")), opt()),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: true, hasEdns: true },
  },
  {
    name: "an AAAA record of 4 octets",
    message: packet({ counts: [1, 1, 0, 0] }, QUESTION, record(ROOT, 28, hex("01020304"))),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: true },
  },
  {
    name: "an owner that points to itself",
    message: packet({ counts: [1, 1, 0, 0] }, QUESTION, record(hex("c021"), 1000, [])),
    outcome: QUERY_FORMERR,
  },
  {
    name: "an owner that points forward",
    message: packet({ counts: [1, 1, 0, 0] }, QUESTION, record(hex("c02d"), 1000, []), [0]),
    outcome: QUERY_FORMERR,
  },
  {
    name: "an owner that points 256 octets forward",
    message: packet({ counts: [1, 1, 0, 0] }, QUESTION, record(hex("c121"), 1000, repeat(300, 0))),
    outcome: QUERY_FORMERR,
  },
  {
    name: "an owner that points into the header",
    message: packet({ counts: [1, 1, 0, 0] }, QUESTION, record(hex("c004"), 1000, [])),
    outcome: QUERY_FORMERR,
  },
  {
    name: "an owner of 256 octets",
    message: packet(
      { counts: [1, 1, 0, 0] },
      QUESTION,
      record(wireName(...repeat(126, "a"), "bb"), 1000, []),
    ),
    outcome: QUERY_FORMERR,
  },
  {
    name: "one record more than are walked",
    message: packet(
      { counts: [1, 0, 0, MAX_QUERY_RECORDS + 1] },
      QUESTION,
      opt(),
      ...Array.from({ length: MAX_QUERY_RECORDS }, () => record(ROOT, 1000, [])),
    ),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: true, hasEdns: true },
  },
  {
    name: "two OPT records",
    message: packet({ counts: [1, 0, 0, 2] }, QUESTION, opt(), opt()),
    outcome: QUERY_FORMERR,
    want: { hasEdns: true },
  },
  {
    name: "an OPT whose owner is not the root",
    message: packet({ counts: [1, 0, 0, 1] }, QUESTION, opt({ owner: wireName("a") })),
    outcome: QUERY_FORMERR,
    want: { hasEdns: true },
  },
  {
    name: "an OPT in the answer section",
    message: packet({ counts: [1, 1, 0, 0] }, QUESTION, opt()),
    outcome: QUERY_FORMERR,
    want: { hasEdns: true },
  },
  {
    name: "an option header cut short",
    message: packet({ counts: [1, 0, 0, 1] }, QUESTION, opt({ rdata: [...COOKIE, 0, 10, 0] })),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: true, hasEdns: true },
  },
  {
    name: "an option that runs past the OPT",
    message: packet(
      { counts: [1, 0, 0, 2] },
      QUESTION,
      opt({ rdata: hex("000a 0001") }),
      record(ROOT, 1000, []),
    ),
    outcome: QUERY_FORMERR,
    want: { hasQuestion: true, hasEdns: true },
  },
  {
    name: "edns-tcp-keepalive with a timeout, which only servers send",
    message: packet({ counts: [1, 0, 0, 1] }, QUESTION, opt({ rdata: hex("000b 0002 0064") })),
    outcome: QUERY_FORMERR,
    want: { hasEdns: true },
  },
  {
    name: "EDNS version 1",
    message: packet({ counts: [1, 0, 0, 1] }, QUESTION, opt({ version: 1, dnssecOk: true })),
    outcome: QUERY_BADVERS,
    want: { hasQuestion: true, hasEdns: true, ednsVersion: 1, dnssecOk: true },
  },
  {
    name: "EDNS version 255 with options that version 0 could not read",
    message: packet({ counts: [1, 0, 0, 1] }, QUESTION, opt({ version: 255, rdata: [1] })),
    outcome: QUERY_BADVERS,
  },
  {
    name: "EDNS version 1 and a broken record behind it",
    message: packet({ counts: [1, 0, 0, 2] }, QUESTION, opt({ version: 1 }), record(ROOT, 1, [1])),
    outcome: QUERY_FORMERR,
    want: { hasEdns: true },
  },
];

const NAMES = ["OK", "DROP", "NOTIMP", "FORMERR", "BADVERS"];
for (const { name, message, outcome, want = {} } of [...ACCEPTED, ...REFUSED]) {
  test(`parseQuery() gives ${NAMES[outcome]} for ${name}`, () => {
    const query = createQuery();
    assert.equal(NAMES[parseQuery(message, message.length, query)], NAMES[outcome]);
    assert.deepEqual({ ...query, ...want }, { ...query });
  });
}

test("parseQuery() records the offset of every label and of the root", () => {
  const query = createQuery();
  const message = packet({}, QUESTION);
  parseQuery(message, message.length, query);
  assert.deepEqual([...query.labelOffsets.subarray(0, query.labelCount + 1)], [12, 16, 24, 28]);
});

test("parseQuery() records the offsets of 127 labels", () => {
  const query = createQuery();
  const message = packet({}, wireName(...repeat(127, "a")), hex("0001 0001"));
  parseQuery(message, message.length, query);
  assert.deepEqual(
    [...query.labelOffsets],
    Array.from({ length: 128 }, (_, index) => 12 + 2 * index),
  );
});

test("parseQuery() leaves nothing of an earlier query behind", () => {
  const query = createQuery();
  const rich = packet(
    { id: 1, counts: [1, 0, 0, 1] },
    QUESTION,
    opt({ udpPayloadOctets: 4096, dnssecOk: true, rdata: KEEPALIVE }),
  );
  parseQuery(rich, rich.length, query);
  const bad = packet({ id: 2 }, hex("c00c"));
  parseQuery(bad, bad.length, query);
  const { labelOffsets: _, ...left } = query;
  const { labelOffsets: __, ...fresh } = createQuery();
  assert.deepEqual(left, { ...fresh, id: 2, flags: 0x0100 });
});

test("parseQuery() reads nothing behind the given length", () => {
  const query = createQuery();
  const message = packet({ counts: [1, 0, 0, 1] }, QUESTION, opt());
  for (let length = 12; length < message.length; length++) {
    assert.equal(parseQuery(message, length, query), QUERY_FORMERR, `cut to ${length} octets`);
  }
});

const EXPENSIVE = [
  { name: "counts of 0xffff in 12 octets", message: packet({ counts: [0xffff, 0xffff, 0xffff, 0xffff] }) },
  {
    name: "64 KiB of empty questions",
    message: packet({ counts: [0xffff, 0, 0, 0] }, repeat(65_000, 0)),
  },
  {
    name: "64 KiB of empty records",
    message: packet({ counts: [1, 0, 0, 0xffff] }, QUESTION, repeat(65_000, 0)),
  },
  {
    name: "64 KiB of empty options",
    message: packet({ counts: [1, 0, 0, 1] }, QUESTION, opt({ rdata: repeat(65_000, 0) })),
  },
  {
    name: "64 KiB of pointers",
    message: packet({ counts: [1, 0xffff, 0, 0] }, QUESTION, hex("c00c".repeat(32_000))),
  },
];
for (const { name, message } of EXPENSIVE) {
  test(`parseQuery() reads each octet about once at most: ${name}`, () => {
    const { bytes, reads } = countReads(message);
    parseQuery(bytes, message.length, createQuery());
    assert.ok(reads() <= message.length + 32, `${reads()} reads for ${message.length} octets`);
  });
}
