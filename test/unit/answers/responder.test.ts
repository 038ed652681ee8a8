/** What the case table cannot say: broken packets, sizes, options of replies, turns, counters. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AnswerTable } from "../../../src/answers/answer-table.ts";
import { ANSWERS_LIVE, ANSWERS_STALE, Responder } from "../../../src/answers/responder.ts";
import * as dns from "../../../src/dns/constants.ts";
import { messageEdns } from "../../../src/dns/edns.ts";
import type { Message } from "../../../src/dns/message.ts";
import { DROP, TRANSPORT_TCP, TRANSPORT_UDP, type Transport } from "../../../src/dns/transport.ts";
import { composeQuery, describeReply, parseReply, type Reply } from "../../support/answer-paths-message.ts";
import { ALL_FRESH, compiledTable, STALE_TEXT, toRecords } from "../../support/answer-paths-table.ts";
import {
  endpoints,
  externalName,
  headless,
  namespace,
  service,
  slice,
} from "../../support/cluster-builder.ts";
import { hex, opt, packet, QUESTION, uint16, wireName } from "../dns/packets.ts";

const WEB = "web.shop.svc.cluster.local. A";
const BIG = "big.shop.svc.cluster.local. A";
const BIG_ADDRESSES = Array.from({ length: 200 }, (_, index) => `10.2.0.${index}`);
const KEEPALIVE = { options: [{ code: dns.OPTION_TCP_KEEPALIVE, data: new Uint8Array(0) }] };

function createTable(isFresh = true): AnswerTable {
  return compiledTable({
    records: toRecords([
      namespace("shop"),
      service("shop/web", { ips: ["10.0.0.1"], ports: ["http/TCP/80"] }),
      externalName("shop/alias", "elsewhere.example.com"),
      headless("shop/three"),
      slice("shop/three", { endpoints: endpoints("10.1.0.1", "10.1.0.2", "10.1.0.3") }),
      headless("shop/big"),
      slice("shop/big", { endpoints: endpoints(...BIG_ADDRESSES) }),
      service("shop/wide", {
        ips: ["10.0.0.9"],
        ports: BIG_ADDRESSES.map((_, index) => `p${index}/TCP/${index + 1}`),
      }),
      headless("shop/pool"),
      slice("shop/pool", { ports: ["a/TCP/1"], endpoints: endpoints(...BIG_ADDRESSES) }),
    ]),
    conditions: isFresh ? ALL_FRESH : { Namespace: "stale", Service: "stale", EndpointSlice: "stale" },
    tracksAllEndpoints: true,
  });
}

function createResponder(table = createTable()): Responder {
  return new Responder(table, {
    zones: ["cluster.local"],
    ttlSeconds: 5,
    pods: "insecure",
    tracksAllEndpoints: true,
    nameServerAddresses: [],
  });
}

/** @returns The reply's octets, or undefined where there is none. */
function respond(
  responder: Responder,
  bytes: Uint8Array,
  transport: Transport = TRANSPORT_UDP,
): Uint8Array | undefined {
  // More room than UDP has: the limit is the responder's own.
  const out = new Uint8Array(65_535);
  const length = responder.respond(bytes, bytes.length, out, transport);
  return length === DROP ? undefined : out.subarray(0, length);
}

function reply(bytes: Uint8Array, transport?: Transport): Message {
  const octets = respond(createResponder(), bytes, transport);
  assert.ok(octets);
  return parseReply(octets);
}

function described(bytes: Uint8Array, transport?: Transport): Reply {
  return describeReply(reply(bytes, transport));
}

test("a packet shorter than a header is dropped (B-1)", () => {
  for (let octets = 0; octets < 12; octets++) {
    assert.equal(respond(createResponder(), packet({}, QUESTION).slice(0, octets)), undefined);
  }
});

test("a response is dropped (B-2)", () => {
  assert.equal(respond(createResponder(), packet({ flags: 0x8100 }, QUESTION)), undefined);
});

test("another OPCODE is NOTIMP with a header alone, whatever follows (B-3)", () => {
  for (const opcode of [1, 2, 3, 4, 5, 6, 7, 15]) {
    const octets = respond(createResponder(), packet({ flags: (opcode << 11) | 0x0100 }, [0xff, 0xff, 0xff]));
    assert.deepEqual(
      [...octets!],
      hex(`1234 ${((0x8180 | (opcode << 11) | 4) >>> 0).toString(16)} 0000 0000 0000 0000`),
    );
  }
});

test("two questions or none are FORMERR without question (B-4, B-5)", () => {
  const two = described(packet({ counts: [2, 0, 0, 0] }, QUESTION, QUESTION));
  assert.deepEqual([two.rcode, two.flags], ["FORMERR", "qr rd ra"]);
  const none = reply(packet({ counts: [0, 0, 0, 0] }));
  assert.deepEqual([none.flags & 15, none.questions.length], [dns.RCODE_FORMERR, 0]);
});

test("a question that cannot be read is FORMERR with a header alone (B-6, B-7)", () => {
  const wrong = [
    [0xc0, 0x0c, 0, 1, 0, 1],
    [0x40, 1, 0, 0, 1, 0, 1],
    [63, 1, 2],
    [...wireName("a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(63)), 0, 1, 0, 1],
    wireName("web"),
  ];
  for (const question of wrong) {
    const octets = respond(createResponder(), packet({}, question));
    assert.deepEqual([...octets!], hex("1234 8181 0000 0000 0000 0000"));
  }
});

test("a record behind the question that cannot be read is FORMERR with the question (B-10, B-20)", () => {
  const message = reply(packet({ counts: [1, 0, 0, 1] }, QUESTION, [0, 0, 1]));
  assert.deepEqual([message.flags & 15, message.questions.length], [dns.RCODE_FORMERR, 1]);
});

test("two OPT records are FORMERR with an OPT record (B-49, B-53)", () => {
  const message = reply(packet({ counts: [1, 0, 0, 2] }, QUESTION, opt(), opt()));
  assert.equal(message.flags & 15, dns.RCODE_FORMERR);
  assert.ok(messageEdns(message));
});

test("options that cannot be read are FORMERR with an OPT record (B-54)", () => {
  const message = reply(packet({ counts: [1, 0, 0, 1] }, QUESTION, opt({ rdata: [0, 3, 0, 9, 1] })));
  assert.equal(message.flags & 15, dns.RCODE_FORMERR);
  assert.ok(messageEdns(message));
});

test("the question comes back octet by octet (B-19)", () => {
  const query = composeQuery({ query: "wEb.SHOP.svc.CLUSTER.local. A" });
  const octets = respond(createResponder(), query);
  assert.deepEqual(octets!.subarray(12, query.length), query.subarray(12));
});

const REPLIES_WITH_OPT = [
  ["NOERROR", WEB],
  ["NXDOMAIN", "nope.shop.svc.cluster.local. A"],
  ["SERVFAIL", "9.9.9.9.in-addr.arpa. PTR"],
  ["REFUSED", "www.example.com. A"],
  ["NOTIMP", "web.shop.svc.cluster.local. OPT"],
] as const;

for (const [rcode, query] of REPLIES_WITH_OPT) {
  test(`${rcode} has an OPT record if, and only if, the query has (B-49, B-50)`, () => {
    const plain = reply(composeQuery({ query }));
    assert.equal(messageEdns(plain), undefined);
    const message = reply(composeQuery({ query, edns: { do: true } }));
    assert.equal(describeReply(message).rcode, rcode);
    const edns = messageEdns(message);
    assert.deepEqual([edns?.version, edns?.udpPayloadOctets, edns?.dnssecOk], [0, 1232, true]);
  });
}

test("unknown options are not echoed (B-52)", () => {
  const message = reply(
    composeQuery({ query: WEB, edns: { options: [{ code: 10, data: new Uint8Array(8) }] } }),
  );
  assert.deepEqual(messageEdns(message)?.options, []);
});

test("BADVERS has version 0 and no answer (B-51)", () => {
  const message = reply(composeQuery({ query: WEB, edns: { version: 1, do: true } }));
  assert.equal(describeReply(message).rcode, "BADVERS");
  assert.deepEqual([message.answers, message.authorities, messageEdns(message)?.version], [[], [], 0]);
});

test("edns-tcp-keepalive is granted over TCP and ignored over UDP (B-83)", () => {
  const query = composeQuery({ query: WEB, edns: KEEPALIVE });
  assert.deepEqual(messageEdns(reply(query, TRANSPORT_TCP))?.options, [
    { code: dns.OPTION_TCP_KEEPALIVE, data: Uint8Array.from(uint16(100)) },
  ]);
  assert.deepEqual(messageEdns(reply(query, TRANSPORT_UDP))?.options, []);
});

/** Header and question; each record takes 16 more. */
const BIG_QUERY_OCTETS = 12 + 28 + 4;
const SIZES = [
  { name: "without EDNS", size: undefined, limit: 512 },
  { name: "512", size: 512, limit: 512 },
  { name: "a size below 512", size: 1, limit: 512 },
  { name: "700", size: 700, limit: 700 },
  { name: "1232", size: 1232, limit: 1232 },
  { name: "4096", size: 4096, limit: 1232 },
  { name: "65535", size: 65_535, limit: 1232 },
];

for (const { name, size, limit } of SIZES) {
  test(`a reply over UDP, asked with ${name}, fills ${limit} octets with whole records and has TC (B-62 to B-65)`, () => {
    const query = composeQuery({ query: BIG, ...(size === undefined ? {} : { edns: { size } }) });
    const octets = respond(createResponder(), query)!;
    const message = parseReply(octets);
    const opt = size === undefined ? 0 : 11;
    assert.equal(message.answers.length, Math.floor((limit - BIG_QUERY_OCTETS - opt) / 16));
    assert.ok(octets.length <= limit);
    assert.equal(describeReply(message).flags, "qr aa tc rd ra");
    assert.equal(messageEdns(message) !== undefined, size !== undefined);
  });
}

test("over TCP nothing is cut that has room (B-69)", () => {
  assert.deepEqual(
    new Set(described(composeQuery({ query: BIG }), TRANSPORT_TCP).answer),
    new Set(BIG_ADDRESSES.map((address) => `big.shop.svc.cluster.local. 5 IN A ${address}`)),
  );
});

test("an RRset beyond 65535 octets is cut over TCP, with TC (B-69)", () => {
  const addresses = Array.from({ length: 5000 }, (_, index) => `10.9.${index >> 8}.${index & 255}`);
  const table = compiledTable({
    records: toRecords([
      headless("shop/big"),
      slice("shop/big", { endpoints: endpoints(...addresses.slice(0, 1000)) }),
      ...Array.from({ length: 4 }, (_, part) =>
        slice("shop/big", {
          suffix: `p${part}`,
          endpoints: endpoints(...addresses.slice(1000 * (part + 1), 1000 * (part + 2))),
        }),
      ),
    ]),
    conditions: ALL_FRESH,
    tracksAllEndpoints: true,
  });
  const octets = respond(createResponder(table), composeQuery({ query: BIG, edns: {} }), TRANSPORT_TCP)!;
  const message = parseReply(octets);
  assert.equal(message.answers.length, Math.floor((65_535 - BIG_QUERY_OCTETS - 11) / 16));
  assert.equal(describeReply(message).flags, "qr aa tc rd ra");
});

test("the EDE is left out before any record is (B-67)", () => {
  const query = composeQuery({ query: BIG, edns: { size: 512 } });
  const message = parseReply(respond(createResponder(createTable(false)), query)!);
  assert.equal(message.answers.length, Math.floor((512 - BIG_QUERY_OCTETS - 11) / 16));
  // 9 octets are left: too few for the text, enough for the code.
  assert.deepEqual(messageEdns(message)?.options, [{ code: dns.OPTION_EDE, data: Uint8Array.from([0, 3]) }]);
});

test("an EDE for which there is no room is left out", () => {
  // Header, question, OPT record and 29 records, to the last octet.
  const size = BIG_QUERY_OCTETS + 11 + 29 * 16;
  const query = composeQuery({ query: BIG, edns: { size } });
  const message = parseReply(respond(createResponder(createTable(false)), query)!);
  assert.equal(message.answers.length, 29);
  assert.deepEqual(messageEdns(message)?.options, []);
});

for (const name of ["wide", "pool"]) {
  test(`SRV of ${name}, cut, has no additional addresses, though some would fit (B-63)`, () => {
    const query = composeQuery({ query: `${name}.shop.svc.cluster.local. SRV` });
    const { flags, answer, additional } = described(query);
    assert.equal(flags, "qr aa tc rd ra");
    assert.ok(answer.length > 3);
    assert.deepEqual(additional, []);
  });
}

test("the EDE of stale data says how old it is (A-66)", () => {
  const query = composeQuery({ query: WEB, edns: {} });
  const message = parseReply(respond(createResponder(createTable(false)), query)!);
  assert.deepEqual(messageEdns(message)?.options, [
    {
      code: dns.OPTION_EDE,
      data: Uint8Array.from([0, 3, ...new TextEncoder().encode(STALE_TEXT)]),
    },
  ]);
});

test("SRV targets are not compressed (B-34)", () => {
  const octets = respond(createResponder(), composeQuery({ query: "web.shop.svc.cluster.local. SRV" }))!;
  const target = Uint8Array.from(wireName("web", "shop", "svc", "cluster", "local"));
  // Behind header, question, and the answer's 12 octets up to RDATA with 6 of priority, weight and port.
  const at = 12 + target.length + 4 + 12 + 6;
  assert.deepEqual(octets.subarray(at, at + target.length), target);
});

test("each answer of a headless Service begins at the next endpoint (B-32)", () => {
  const responder = createResponder();
  const query = composeQuery({ query: "three.shop.svc.cluster.local. A" });
  const firsts = Array.from({ length: 6 }, () => {
    const { answer } = describeReply(parseReply(respond(responder, query)!));
    assert.equal(new Set(answer).size, 3);
    return answer[0];
  });
  assert.equal(new Set(firsts.slice(0, 3)).size, 3);
  assert.deepEqual(firsts.slice(3), firsts.slice(0, 3));
});

test("Extended DNS Errors are counted, also those that a client without EDNS is not told", () => {
  const responder = createResponder(createTable(false));
  respond(responder, composeQuery({ query: WEB }));
  respond(responder, composeQuery({ query: WEB, edns: {} }));
  respond(responder, composeQuery({ query: "nope.shop.svc.cluster.local. A" }));
  respond(responder, composeQuery({ query: "www.example.com. A" }));
  assert.deepEqual(
    [...responder.extendedErrors].flatMap((count, code) => (count === 0 ? [] : [[code, count]])),
    [
      [dns.EDE_STALE_ANSWER, 2],
      [dns.EDE_STALE_NXDOMAIN, 1],
      [dns.EDE_NOT_AUTHORITATIVE, 1],
    ],
  );
});

test("what our zones answered is counted by freshness; refusals, failures and faults are not", () => {
  for (const isFresh of [true, false]) {
    const responder = createResponder(createTable(isFresh));
    const ask = (query: string) => respond(responder, composeQuery({ query }));
    const counts = () => [responder.answers[ANSWERS_LIVE], responder.answers[ANSWERS_STALE]];
    for (const name of ["www.example.com. A", "alias.shop.svc.cluster.local. A", "9.9.9.9.in-addr.arpa. PTR"])
      ask(name);
    ask("web.shop.svc.cluster.local. AXFR");
    respond(responder, packet({ counts: [0, 0, 0, 0] }));
    assert.deepEqual(counts(), [0, 0]);
    for (const name of [WEB, "web.shop.svc.cluster.local. TXT", "nope.shop.svc.cluster.local. A"]) ask(name);
    assert.deepEqual(counts(), isFresh ? [3, 0] : [0, 3]);
  }
});

test("one reply leaves nothing behind for the next", () => {
  const responder = createResponder();
  const queries = [
    BIG,
    "nope.shop.svc.cluster.local. A",
    "www.example.com. A",
    WEB,
    "9.9.9.9.in-addr.arpa. PTR",
  ];
  for (const first of queries) {
    for (const second of queries.slice(1)) {
      respond(responder, composeQuery({ query: first, edns: { do: true } }));
      const after = respond(responder, composeQuery({ query: second }));
      assert.deepEqual(
        after,
        respond(createResponder(), composeQuery({ query: second })),
        `${first}, ${second}`,
      );
    }
  }
});
