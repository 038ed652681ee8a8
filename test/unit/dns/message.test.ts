import assert from "node:assert/strict";
import { test } from "node:test";
import { Packet } from "dns2";
import { composeMessage, isMessageError, parseMessage, type Message } from "../../../src/dns/message.ts";
import { parseName } from "../../../src/dns/name.ts";
import type { Rdata, ResourceRecord } from "../../../src/dns/record.ts";
import { hex, opt, packet, QUESTION, record, repeat, wireName } from "./packets.ts";

function name(text: string): Uint8Array {
  const wire = parseName(text);
  assert.ok(wire instanceof Uint8Array);
  return wire;
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(hex(text));
}

function read(message: Uint8Array): Message {
  const result = parseMessage(message);
  assert.ok(!isMessageError(result), JSON.stringify(result));
  return result;
}

const HEADER = { id: 1, flags: 0x8580, questions: [], answers: [], authorities: [], additionals: [] };

function answer(owner: string, rrtype: number, rdata: Rdata): ResourceRecord {
  return { owner: name(owner), rrtype, rrclass: 1, ttl: 5, rdata };
}

const RDATA: readonly { name: string; rrtype: number; wire: readonly number[]; rdata: Rdata }[] = [
  { name: "A", rrtype: 1, wire: hex("0a000001"), rdata: { kind: "address", address: bytes("0a000001") } },
  {
    name: "AAAA",
    rrtype: 28,
    wire: hex("fd00 0000 0000 0000 0000 0000 0000 0001"),
    rdata: { kind: "address", address: bytes("fd000000000000000000000000000001") },
  },
  { name: "NS", rrtype: 2, wire: wireName("ns", "dns"), rdata: { kind: "name", name: name("ns.dns") } },
  { name: "CNAME", rrtype: 5, wire: wireName("Foo", "com"), rdata: { kind: "name", name: name("Foo.com") } },
  { name: "PTR", rrtype: 12, wire: [0], rdata: { kind: "name", name: name(".") } },
  {
    name: "SOA",
    rrtype: 6,
    wire: [...wireName("a"), ...wireName("b"), ...hex("00000001 00001c20 00000708 00015180 ffffffff")],
    rdata: {
      kind: "soa",
      mname: name("a"),
      rname: name("b"),
      serial: 1,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: 2 ** 32 - 1,
    },
  },
  {
    name: "MX",
    rrtype: 15,
    wire: [...hex("000a"), ...wireName("mx")],
    rdata: { kind: "mx", preference: 10, exchange: name("mx") },
  },
  {
    name: "SRV",
    rrtype: 33,
    wire: [...hex("0001 0064 1f90"), ...wireName("web")],
    rdata: { kind: "srv", priority: 1, weight: 100, port: 8080, target: name("web") },
  },
  {
    name: "TXT",
    rrtype: 16,
    wire: hex("00 05 312e312e30 02 00ff"),
    rdata: { kind: "strings", strings: [bytes(""), bytes("312e312e30"), bytes("00ff")] },
  },
  {
    name: "HINFO",
    rrtype: 13,
    wire: hex("07 52464338343832 00"),
    rdata: { kind: "strings", strings: [bytes("52464338343832"), bytes("")] },
  },
  {
    name: "TYPE65",
    rrtype: 65,
    wire: hex("0001 00 ff"),
    rdata: { kind: "opaque", octets: bytes("000100ff") },
  },
  { name: "TYPE1000 without octets", rrtype: 1000, wire: [], rdata: { kind: "opaque", octets: bytes("") } },
];
for (const { name: title, rrtype, wire, rdata } of RDATA) {
  const octets = packet({ id: 1, flags: 0x8580, counts: [0, 1, 0, 0] }, record(wireName("x"), rrtype, wire));
  const message = { ...HEADER, answers: [answer("x", rrtype, rdata)] };
  test(`parseMessage() reads ${title}`, () => assert.deepEqual(read(octets), message));
  test(`composeMessage() writes ${title}`, () => assert.deepEqual(composeMessage(message), octets));
}

test("parseMessage() reads every section, and OPT options unchanged", () => {
  const octets = packet(
    { id: 0xbeef, flags: 0x8583, counts: [1, 1, 1, 2] },
    QUESTION,
    record(hex("c00c"), 1, hex("0a000001")),
    record(hex("c010"), 2, hex("02 6e73 c010")),
    record([0], 1000, [1]),
    opt({ udpPayloadOctets: 1232, dnssecOk: true, rdata: hex("000f 0003 0003 61 0064 0000") }),
  );
  assert.deepEqual(read(octets), {
    id: 0xbeef,
    flags: 0x8583,
    questions: [{ qname: name("www.example.com"), qtype: 1, qclass: 1 }],
    answers: [answer("www.example.com", 1, { kind: "address", address: bytes("0a000001") })],
    authorities: [answer("example.com", 2, { kind: "name", name: name("ns.example.com") })],
    additionals: [
      answer(".", 1000, { kind: "opaque", octets: bytes("01") }),
      {
        owner: name("."),
        rrtype: 41,
        rrclass: 1232,
        ttl: 0x8000,
        rdata: {
          kind: "opt",
          options: [
            { code: 15, data: bytes("000361") },
            { code: 100, data: bytes("") },
          ],
        },
      },
    ],
  });
});

test("parseMessage() keeps records of dynamic updates opaque: class ANY has no RDATA", () => {
  const octets = packet({ counts: [0, 1, 0, 0] }, hex("00 0001 00ff 00000000 0000"));
  assert.deepEqual(read(octets).answers[0].rdata, { kind: "opaque", octets: bytes("") });
});

test("parseMessage() reads a CHAOS TXT but keeps a CHAOS A opaque", () => {
  const octets = packet(
    { counts: [0, 2, 0, 0] },
    hex("00 0010 0003 00000000 0002 0161 00 0001 0003 00000000 0001 07"),
  );
  assert.deepEqual(
    read(octets).answers.map(({ rdata }) => rdata.kind),
    ["strings", "opaque"],
  );
});

test("parseMessage() ignores octets behind the last record", () => {
  assert.equal(read(packet({}, QUESTION, hex("deadbeef"))).questions.length, 1);
});

const BROKEN: readonly { name: string; message: Uint8Array; want: { offset: number; reason: string } }[] = [
  {
    name: "11 octets",
    message: packet({}).subarray(0, 11),
    want: { offset: 11, reason: "a header takes 12 octets" },
  },
  {
    name: "counts of 0xffff and nothing else",
    message: packet({ counts: [0xffff, 0xffff, 0xffff, 0xffff] }),
    want: { offset: 12, reason: "QNAME runs past the end of the message" },
  },
  {
    name: "a question cut short",
    message: packet({}, QUESTION.slice(0, -1)),
    want: { offset: 31, reason: "QCLASS runs past the end of the message" },
  },
  {
    name: "a label of type 01",
    message: packet({}, [0x41, ...repeat(70, 0)]),
    want: { offset: 12, reason: "QNAME has a label of an unknown type" },
  },
  {
    name: "a name of 256 octets",
    message: packet({}, wireName(...repeat(126, "a"), "bb")),
    want: { offset: 267, reason: "QNAME is longer than 255 octets" },
  },
  {
    name: "RDLENGTH past the end",
    message: packet({ counts: [0, 1, 0, 0] }, hex("00 03e8 0001 00000000 0002 01")),
    want: { offset: 23, reason: "RDATA runs past the end of the message" },
  },
  {
    name: "an A of 3 octets",
    message: packet({ counts: [0, 2, 0, 0] }, record([0], 1, hex("010203")), record([0], 1000, [])),
    want: { offset: 23, reason: "an address runs past the end of the RDATA" },
  },
  {
    name: "an A of 5 octets",
    message: packet({ counts: [0, 1, 0, 0] }, record([0], 1, hex("0102030405"))),
    want: { offset: 23, reason: "RDLENGTH 5 is too long for the type" },
  },
  {
    name: "an AAAA of 4 octets",
    message: packet({ counts: [0, 1, 0, 0] }, record([0], 28, hex("01020304"))),
    want: { offset: 23, reason: "an address runs past the end of the message" },
  },
  {
    name: "a CNAME with octets behind the name",
    message: packet({ counts: [0, 1, 0, 0] }, record([0], 5, hex("01 61 00 00"))),
    want: { offset: 23, reason: "RDLENGTH 4 is too long for the type" },
  },
  {
    name: "a PTR whose name runs into the next record",
    message: packet({ counts: [0, 2, 0, 0] }, record([0], 12, hex("01 61")), record([0], 1000, [])),
    want: { offset: 25, reason: "the name in RDATA runs past the end of the RDATA" },
  },
  {
    name: "an SRV without a target",
    message: packet({ counts: [0, 1, 0, 0] }, record([0], 33, hex("0000 0000 0050"))),
    want: { offset: 29, reason: "TARGET runs past the end of the message" },
  },
  {
    name: "an SOA cut short",
    message: packet(
      { counts: [0, 2, 0, 0] },
      record([0], 6, hex("00 00 00000001 0000")),
      record([0], 1000, []),
    ),
    want: { offset: 29, reason: "REFRESH runs past the end of the RDATA" },
  },
  {
    name: "an empty TXT",
    message: packet({ counts: [0, 1, 0, 0] }, record([0], 16, [])),
    want: { offset: 23, reason: "0 character-strings are not what the type holds" },
  },
  {
    name: "a TXT whose string runs into the next record",
    message: packet({ counts: [0, 2, 0, 0] }, record([0], 16, hex("02 61")), record([0], 1000, [])),
    want: { offset: 24, reason: "a character-string runs past the end of the RDATA" },
  },
  {
    name: "a HINFO of three strings",
    message: packet({ counts: [0, 1, 0, 0] }, record([0], 13, hex("00 00 00"))),
    want: { offset: 23, reason: "3 character-strings are not what the type holds" },
  },
  {
    name: "an EDNS option that runs past the OPT",
    message: packet({ counts: [0, 0, 0, 2] }, opt({ rdata: hex("000f 0002 00") }), record([0], 1000, [])),
    want: { offset: 27, reason: "an EDNS option runs past the end of the RDATA" },
  },
  {
    name: "two OPT records",
    message: packet({ counts: [0, 0, 0, 2] }, opt(), opt()),
    want: { offset: 12, reason: "there is more than one OPT record" },
  },
  {
    name: "an OPT in the answer section",
    message: packet({ counts: [0, 1, 0, 0] }, opt()),
    want: { offset: 12, reason: "there is an OPT record outside the additional section" },
  },
  {
    name: "an OPT whose owner is not the root",
    message: packet({ counts: [0, 0, 0, 1] }, opt({ owner: wireName("a") })),
    want: { offset: 12, reason: "the owner of the OPT record is not the root" },
  },
];
for (const { name: title, message, want } of BROKEN) {
  test(`parseMessage() says what is wrong with ${title}`, () =>
    assert.deepEqual(parseMessage(message), want));
}

test("parseMessage() never takes one name for another: dots and octets that are no text stay in their labels", () => {
  const qnames = [
    wireName("www.bank", "com"),
    wireName("www", "bank", "com"),
    hex("04 77777700 04 62616e6b 03 636f6d 00"),
    hex("02 ffe9 00"),
    hex("02 fee8 00"),
  ];
  for (const qname of qnames) {
    const octets = packet({}, qname, hex("0001 0001"));
    const message = read(octets);
    assert.deepEqual([...message.questions[0].qname], qname);
    assert.deepEqual(composeMessage(message), octets);
  }
});

test("composeMessage() compresses owner names and RFC 1035 names, but never an SRV target", () => {
  const web = name("web.cluster.local");
  const message: Message = {
    ...HEADER,
    questions: [{ qname: web, qtype: 33, qclass: 1 }],
    answers: [
      answer("web.cluster.local", 33, { kind: "srv", priority: 0, weight: 1, port: 80, target: web }),
      answer("x.cluster.local", 5, { kind: "name", name: web }),
    ],
  };
  assert.deepEqual(
    composeMessage(message),
    packet(
      { id: 1, flags: 0x8580, counts: [1, 2, 0, 0] },
      [...wireName("web", "cluster", "local"), ...hex("0021 0001")],
      record(hex("c00c"), 33, [...hex("0000 0001 0050"), ...wireName("web", "cluster", "local")]),
      record(hex("01 78 c010"), 5, hex("c00c")),
    ),
  );
});

test("composeMessage() does not compress across letter case, so every name keeps its own", () => {
  const message: Message = {
    ...HEADER,
    questions: [{ qname: name("WEB.local"), qtype: 5, qclass: 1 }],
    answers: [answer("WEB.local", 5, { kind: "name", name: name("web.LOCAL") })],
  };
  const octets = composeMessage(message);
  assert.deepEqual(read(octets), message);
});

test("composeMessage() points nowhere beyond the 14 bits of a pointer", () => {
  const filler = answer(".", 1000, { kind: "opaque", octets: new Uint8Array(0x4000) });
  const late = answer("late.example", 1000, { kind: "opaque", octets: bytes("") });
  const message: Message = { ...HEADER, answers: [filler, late, late] };
  assert.deepEqual(read(composeMessage(message)), message);
});

const UNWRITABLE: readonly { name: string; message: Message; want: RegExp }[] = [
  {
    name: "an ID of 17 bits",
    message: { ...HEADER, id: 0x10000 },
    want: /Cannot write 65536 into 16 bits/,
  },
  {
    name: "a negative TTL",
    message: { ...HEADER, answers: [{ ...answer("a", 5, { kind: "name", name: name("b") }), ttl: -1 }] },
    want: /Cannot write -1 into 32 bits/,
  },
  {
    name: "a label of 64 octets",
    message: {
      ...HEADER,
      questions: [{ qname: Uint8Array.from(wireName("a".repeat(64))), qtype: 1, qclass: 1 }],
    },
    want: /Cannot write as a domain name/,
  },
  {
    name: "a name of 256 octets",
    message: {
      ...HEADER,
      questions: [{ qname: Uint8Array.from(wireName(...repeat(126, "a"), "bb")), qtype: 1, qclass: 1 }],
    },
    want: /Cannot write as a domain name/,
  },
  {
    name: "octets behind a name",
    message: { ...HEADER, questions: [{ qname: bytes("00 00"), qtype: 1, qclass: 1 }] },
    want: /Cannot write as a domain name: current value is \[0 0\]/,
  },
  {
    name: "a name without the root",
    message: { ...HEADER, questions: [{ qname: bytes("01 61"), qtype: 1, qclass: 1 }] },
    want: /Cannot write as a domain name/,
  },
  {
    name: "an IPv6 address in an A record",
    message: { ...HEADER, answers: [answer("a", 1, { kind: "address", address: new Uint8Array(16) })] },
    want: /Cannot write 16 octets as the address of a record of type 1/,
  },
  {
    name: "SRV data in a PTR record",
    message: {
      ...HEADER,
      answers: [answer("a", 12, { kind: "srv", priority: 0, weight: 0, port: 0, target: name("a") })],
    },
    want: /Cannot write "srv" RDATA as type 12 of class 1/,
  },
  {
    name: "an empty TXT",
    message: { ...HEADER, answers: [answer("a", 16, { kind: "strings", strings: [] })] },
    want: /Cannot write 0 character-strings as RDATA of type 16/,
  },
  {
    name: "a character-string of 256 octets",
    message: { ...HEADER, answers: [answer("a", 16, { kind: "strings", strings: [new Uint8Array(256)] })] },
    want: /Cannot write 256 into 8 bits/,
  },
  {
    name: "65536 octets",
    message: {
      ...HEADER,
      answers: [answer(".", 1000, { kind: "opaque", octets: new Uint8Array(65_536 - 23) })],
    },
    want: /Cannot compose a message of more than 65535 octets/,
  },
];
for (const { name: title, message, want } of UNWRITABLE) {
  test(`composeMessage() refuses ${title}`, () => {
    assert.throws(() => composeMessage(message), { name: "RangeError", message: want });
  });
}

test("composeMessage() writes as much as 65535 octets", () => {
  const rdata: Rdata = { kind: "opaque", octets: new Uint8Array(65_535 - 23) };
  assert.equal(composeMessage({ ...HEADER, answers: [answer(".", 1000, rdata)] }).length, 65_535);
});

test("composeMessage() writes what another decoder reads the same", () => {
  const message: Message = {
    ...HEADER,
    questions: [{ qname: name("web.cluster.local"), qtype: 255, qclass: 1 }],
    answers: [
      answer("web.cluster.local", 1, { kind: "address", address: bytes("0a000001") }),
      answer("alias.cluster.local", 5, { kind: "name", name: name("web.cluster.local") }),
      answer("cluster.local", 15, { kind: "mx", preference: 10, exchange: name("mx.cluster.local") }),
    ],
    authorities: [answer("cluster.local", 2, { kind: "name", name: name("ns.dns.cluster.local") })],
    additionals: [
      answer("_http._tcp.web.cluster.local", 33, {
        kind: "srv",
        priority: 1,
        weight: 50,
        port: 8080,
        target: name("web.cluster.local"),
      }),
    ],
  };
  const decoded = Packet.parse(Buffer.from(composeMessage(message)));
  const fields = [...decoded.questions, ...decoded.answers, ...decoded.authorities, ...decoded.additionals];
  assert.deepEqual(
    fields.map((entry) => JSON.parse(JSON.stringify(entry)) as unknown),
    [
      { name: "web.cluster.local", type: 255, class: 1 },
      { name: "web.cluster.local", type: 1, class: 1, ttl: 5, address: "10.0.0.1" },
      { name: "alias.cluster.local", type: 5, class: 1, ttl: 5, domain: "web.cluster.local" },
      { name: "cluster.local", type: 15, class: 1, ttl: 5, priority: 10, exchange: "mx.cluster.local" },
      { name: "cluster.local", type: 2, class: 1, ttl: 5, ns: "ns.dns.cluster.local" },
      {
        name: "_http._tcp.web.cluster.local",
        type: 33,
        class: 1,
        ttl: 5,
        priority: 1,
        weight: 50,
        port: 8080,
        target: "web.cluster.local",
      },
    ],
  );
});
