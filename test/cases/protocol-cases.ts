/** Header, EDNS, classes, types and sizes: rules B.1 to B.8. */
import * as dns from "../../src/dns/constants.ts";
import { endpoints, headless, host, namespace, service, slice } from "../support/cluster-builder.ts";
import { type AnswerCase, answer, failure, nodata, nxdomain } from "./answer-case.ts";

const SHOP = namespace("shop");
const given = [SHOP, service("shop/web", { ips: ["10.0.0.1"], ports: ["http/TCP/80"] })];
const WEB = "web.shop.svc.cluster.local. 5 IN A 10.0.0.1";
const QUERY = "web.shop.svc.cluster.local. A";

const HEADER: readonly AnswerCase[] = [
  {
    name: "RD is copied, RA is set (B-18, B-22)",
    given,
    query: QUERY,
    header: 0,
    want: { ...answer(WEB), flags: "qr aa ra" },
  },
  {
    name: "the flags AA, TC, RA, Z, AD and CD of a query change nothing (B-11)",
    given,
    query: QUERY,
    header: dns.FLAG_AA | dns.FLAG_TC | dns.FLAG_RA | 0x40 | dns.FLAG_AD | dns.FLAG_CD,
    want: { ...answer(WEB), flags: "qr aa ra" },
  },
  {
    name: "class CH (B-14)",
    given,
    query: "web.shop.svc.cluster.local. CH A",
    edns: {},
    want: failure("REFUSED", 21),
  },
  { name: "class HS (B-14)", given, query: "version.bind. HS TXT", edns: {}, want: failure("REFUSED", 21) },
  {
    name: "class ANY (B-14)",
    given,
    query: "web.shop.svc.cluster.local. ANY A",
    edns: {},
    want: failure("REFUSED", 21),
  },
  {
    name: "class NONE (B-14)",
    given,
    query: "web.shop.svc.cluster.local. NONE A",
    edns: {},
    want: failure("REFUSED", 21),
  },
  { name: "AXFR (B-15)", given, query: "cluster.local. AXFR", edns: {}, want: failure("REFUSED", 21) },
  { name: "IXFR (B-15)", given, query: "cluster.local. IXFR", edns: {}, want: failure("REFUSED", 21) },
  {
    name: "AXFR of a foreign zone (B-15)",
    query: "example.com. AXFR",
    edns: {},
    want: failure("REFUSED", 21),
  },
  { name: "QTYPE OPT (B-15)", given, query: "web.shop.svc.cluster.local. OPT", want: failure("NOTIMP") },
  { name: "QTYPE TSIG (B-15)", given, query: "web.shop.svc.cluster.local. TYPE250", want: failure("NOTIMP") },
  { name: "QTYPE TKEY (B-15)", given, query: "web.shop.svc.cluster.local. TYPE249", want: failure("NOTIMP") },
  {
    name: "QTYPE MAILA (B-15)",
    given,
    query: "web.shop.svc.cluster.local. TYPE254",
    want: failure("NOTIMP"),
  },
  {
    name: "QTYPE MAILB (B-15)",
    given,
    query: "web.shop.svc.cluster.local. TYPE253",
    want: failure("NOTIMP"),
  },
  {
    name: "ANY at a Service (B-70)",
    given,
    query: "web.shop.svc.cluster.local. ANY",
    want: answer('web.shop.svc.cluster.local. 5 IN HINFO "RFC8482" ""'),
  },
  {
    name: "ANY at a port (B-70)",
    given,
    query: "_http._tcp.web.shop.svc.cluster.local. ANY",
    want: answer('_http._tcp.web.shop.svc.cluster.local. 5 IN HINFO "RFC8482" ""'),
  },
  {
    name: "ANY at an empty non-terminal is NODATA (B-70)",
    given,
    query: "svc.cluster.local. ANY",
    want: nodata(),
  },
  {
    name: "ANY at a name that does not exist (B-70)",
    given,
    query: "nope.shop.svc.cluster.local. ANY",
    want: nxdomain(),
  },
  {
    name: "a query whose name holds octets above 127 (B-38)",
    given,
    query: String.raw`w\255b.shop.svc.cluster.local. A`,
    want: nxdomain(),
  },
  {
    name: "a label with a dot in it is one label (B-38)",
    given,
    query: String.raw`web\.shop.svc.cluster.local. A`,
    want: nxdomain(),
  },
  {
    name: "only ASCII letters have case (B-37)",
    given: [SHOP, service("shop/a-b", { ips: ["10.0.0.2"] })],
    query: String.raw`a\013b.shop.svc.cluster.local. A`,
    want: nxdomain(),
  },
];

const UNKNOWN_TYPES = ["TYPE0", "MX", "TYPE64", "TYPE65", "TYPE99", "TYPE257", "TYPE1000", "TYPE65535"];

const TYPES: readonly AnswerCase[] = UNKNOWN_TYPES.flatMap((qtype): AnswerCase[] => [
  {
    name: `${qtype} at a name that exists is NODATA (B-46)`,
    given,
    query: `web.shop.svc.cluster.local. ${qtype}`,
    want: nodata(),
  },
  {
    name: `${qtype} at a name that does not exist (B-46)`,
    given,
    query: `nope.shop.svc.cluster.local. ${qtype}`,
    want: nxdomain(),
  },
]);

const EDNS: readonly AnswerCase[] = [
  { name: "EDNS version 1 (B-51)", given, query: QUERY, edns: { version: 1 }, want: failure("BADVERS") },
  {
    name: "unknown options are ignored (B-52)",
    given,
    query: QUERY,
    edns: {
      options: [
        { code: 3, data: new Uint8Array(0) },
        { code: 10, data: new Uint8Array(8) },
        { code: 8, data: new Uint8Array([0, 1, 0, 0]) },
        { code: 9, data: new Uint8Array(0) },
        { code: 12, data: new Uint8Array(20) },
        { code: 100, data: new Uint8Array(3) },
      ],
    },
    want: answer(WEB),
  },
  {
    name: "a payload size below 512 counts as 512 (B-55)",
    given,
    query: QUERY,
    edns: { size: 100 },
    want: answer(WEB),
  },
  { name: "DO (B-58)", given, query: QUERY, edns: { do: true }, want: answer(WEB) },
  {
    name: "EDNS in a negative answer",
    given,
    query: "nope.shop.svc.cluster.local. A",
    edns: {},
    want: nxdomain(),
  },
];

/** 100 endpoints, 16 octets each in an answer. */
const MANY_ADDRESSES = Array.from({ length: 100 }, (_, index) => `10.2.0.${index + 1}`);
const MANY = [SHOP, headless("shop/many"), slice("shop/many", { endpoints: endpoints(...MANY_ADDRESSES) })];
const ALL_OF_MANY = MANY_ADDRESSES.map((address) => `many.shop.svc.cluster.local. 5 IN A ${address}`);
const LETTERS = ["a", "b", "c", "d", "e", "f"];
/** Six endpoints whose SRV records fit into 512 octets, with one of their addresses. */
const SIX = [
  SHOP,
  headless("shop/six"),
  slice("shop/six", {
    ports: ["a/TCP/1"],
    endpoints: LETTERS.map((letter, index) => host(letter.repeat(20), `10.3.0.${index + 1}`)),
  }),
];
const SIX_SRV = LETTERS.map(
  (letter) => `six.shop.svc.cluster.local. 5 IN SRV 0 16 1 ${letter.repeat(20)}.six.shop.svc.cluster.local.`,
);
const LONG_ZONE = `${"z".repeat(63)}.${"y".repeat(63)}.${"x".repeat(53)}`;
/** In that zone the first target has 255 octets and the second 256. */
const LONG = [
  namespace("shop"),
  headless("shop/long"),
  slice("shop/long", {
    ports: ["a/TCP/1"],
    endpoints: [host("k".repeat(57), "10.4.0.1"), host("l".repeat(58), "10.4.0.2")],
  }),
];

const SIZES: readonly AnswerCase[] = [
  {
    name: "everything over TCP (B-69)",
    given: MANY,
    query: "many.shop.svc.cluster.local. A",
    transport: "tcp",
    want: answer(...ALL_OF_MANY),
  },
  {
    name: "additional addresses are left out before anything is cut: whole RRsets, no TC (B-63)",
    given: SIX,
    query: "six.shop.svc.cluster.local. SRV",
    transport: "udp",
    want: {
      rcode: "NOERROR",
      answer: SIX_SRV,
      additional: [`${"a".repeat(20)}.six.shop.svc.cluster.local. 5 IN A 10.3.0.1`],
    },
  },
  {
    name: "and are all there where there is room",
    given: SIX,
    query: "six.shop.svc.cluster.local. SRV",
    transport: "udp",
    edns: { size: 1232 },
    want: {
      rcode: "NOERROR",
      answer: SIX_SRV,
      additional: LETTERS.map(
        (letter, index) => `${letter.repeat(20)}.six.shop.svc.cluster.local. 5 IN A 10.3.0.${index + 1}`,
      ),
    },
  },
  {
    name: "an SRV target of more than 255 octets is left out, with its address",
    given: LONG,
    options: { zones: [LONG_ZONE] },
    query: `long.shop.svc.${LONG_ZONE}. SRV`,
    transport: "tcp",
    want: {
      rcode: "NOERROR",
      answer: [`long.shop.svc.${LONG_ZONE}. 5 IN SRV 0 50 1 ${"k".repeat(57)}.long.shop.svc.${LONG_ZONE}.`],
      additional: [`${"k".repeat(57)}.long.shop.svc.${LONG_ZONE}. 5 IN A 10.4.0.1`],
    },
  },
  {
    name: "a PTR target of more than 255 octets is left out: NODATA",
    given: LONG,
    options: { zones: [LONG_ZONE] },
    query: "2.0.4.10.in-addr.arpa. PTR",
    want: nodata(5, "in-addr.arpa."),
  },
  {
    name: "a PTR target of 255 octets",
    given: LONG,
    options: { zones: [LONG_ZONE] },
    query: "1.0.4.10.in-addr.arpa. PTR",
    want: answer(`1.0.4.10.in-addr.arpa. 5 IN PTR ${"k".repeat(57)}.long.shop.svc.${LONG_ZONE}.`),
  },
  {
    name: "the longest label of a Service and a namespace",
    given: [
      namespace("n".repeat(63)),
      service(`${"n".repeat(63)}/${"s".repeat(63)}`, { ips: ["10.0.0.63"] }),
    ],
    query: `${"s".repeat(63)}.${"n".repeat(63)}.svc.cluster.local. A`,
    want: answer(`${"s".repeat(63)}.${"n".repeat(63)}.svc.cluster.local. 5 IN A 10.0.0.63`),
  },
];

export const PROTOCOL_CASES: readonly AnswerCase[] = [...HEADER, ...TYPES, ...EDNS, ...SIZES];
