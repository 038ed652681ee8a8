/** Headless Services and endpoints: rules. */
import { endpoints, headless, host, namespace, service, slice } from "../support/cluster-builder.ts";
import { answer, type AnswerCase, nodata, nxdomain } from "./answer-case.ts";

const SHOP = namespace("shop");
const DB = headless("shop/db", ["sql/TCP/5432"]);
const DB_SLICE = slice("shop/db", {
  ports: ["sql/TCP/15432"],
  endpoints: [host("db-0", "10.1.0.10"), host("db-1", "10.1.0.11")],
});
const DB_SLICE_6 = slice("shop/db", {
  suffix: "6",
  ports: ["sql/TCP/15432"],
  endpoints: [host("db-0", "fd01::10")],
});
const given = [SHOP, DB, DB_SLICE, DB_SLICE_6];
const PLAIN = [
  SHOP,
  headless("shop/pool"),
  slice("shop/pool", { endpoints: endpoints("10.1.0.1", "10.1.0.2") }),
];

export const HEADLESS_CASES: readonly AnswerCase[] = [
  {
    name: "A of a headless Service has one record for each ready endpoint (A-30)",
    given,
    query: "db.shop.svc.cluster.local. A",
    want: answer(
      "db.shop.svc.cluster.local. 5 IN A 10.1.0.10",
      "db.shop.svc.cluster.local. 5 IN A 10.1.0.11",
    ),
  },
  {
    name: "AAAA of a headless Service has those of the other slice (A-9, A-30)",
    given,
    query: "db.shop.svc.cluster.local. AAAA",
    want: answer("db.shop.svc.cluster.local. 5 IN AAAA fd01::10"),
  },
  {
    name: "AAAA of a headless Service with IPv4 endpoints alone is NODATA (0.7)",
    given: [SHOP, DB, DB_SLICE],
    query: "db.shop.svc.cluster.local. AAAA",
    want: nodata(),
  },
  {
    name: "a headless Service without ready endpoints does not exist (A-31)",
    given: [
      SHOP,
      DB,
      slice("shop/db", { ports: ["sql/TCP/1"], endpoints: [{ addresses: ["10.1.0.9"], ready: false }] }),
    ],
    query: "db.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "nor does it for another type",
    given: [SHOP, DB],
    query: "db.shop.svc.cluster.local. TXT",
    want: nxdomain(),
  },
  {
    name: "nor do its ports, which a slice without ready endpoints names (A-40)",
    given: [
      SHOP,
      DB,
      slice("shop/db", { ports: ["sql/TCP/1"], endpoints: [{ addresses: ["10.1.0.9"], ready: false }] }),
    ],
    query: "_sql._tcp.db.shop.svc.cluster.local. SRV",
    want: nxdomain(),
  },
  {
    name: "an endpoint that is not ready has no PTR record (A-40)",
    given: [SHOP, DB, slice("shop/db", { endpoints: [{ addresses: ["10.1.0.9"], ready: false }] })],
    options: { zones: ["cluster.local", "10.in-addr.arpa"] },
    query: "9.0.1.10.in-addr.arpa. PTR",
    want: nxdomain(5, "10.in-addr.arpa."),
  },
  {
    name: "conditions.ready null means ready (A-8)",
    given: [SHOP, DB, slice("shop/db", { endpoints: [{ addresses: ["10.1.0.9"], ready: null }] })],
    query: "db.shop.svc.cluster.local. A",
    want: answer("db.shop.svc.cluster.local. 5 IN A 10.1.0.9"),
  },
  {
    name: "an endpoint's hostname has its addresses (A-32)",
    given,
    query: "db-0.db.shop.svc.cluster.local. A",
    want: answer("db-0.db.shop.svc.cluster.local. 5 IN A 10.1.0.10"),
  },
  {
    name: "an endpoint's hostname has those of the other family (A-32)",
    given,
    query: "db-0.db.shop.svc.cluster.local. AAAA",
    want: answer("db-0.db.shop.svc.cluster.local. 5 IN AAAA fd01::10"),
  },
  {
    name: "a hostname without addresses of a family is NODATA",
    given,
    query: "db-1.db.shop.svc.cluster.local. AAAA",
    want: nodata(),
  },
  {
    name: "a hostname in any case",
    given,
    query: "DB-1.db.shop.svc.cluster.local. A",
    want: answer("DB-1.db.shop.svc.cluster.local. 5 IN A 10.1.0.11"),
  },
  {
    name: "several endpoints with one hostname are one name (A-32)",
    given: [SHOP, DB, slice("shop/db", { endpoints: [host("twin", "10.1.0.2"), host("twin", "10.1.0.1")] })],
    query: "twin.db.shop.svc.cluster.local. A",
    want: answer(
      "twin.db.shop.svc.cluster.local. 5 IN A 10.1.0.1",
      "twin.db.shop.svc.cluster.local. 5 IN A 10.1.0.2",
    ),
  },
  {
    name: "an endpoint without hostname has its dashed address as name (A-6)",
    given: PLAIN,
    query: "10-1-0-2.pool.shop.svc.cluster.local. A",
    want: answer("10-1-0-2.pool.shop.svc.cluster.local. 5 IN A 10.1.0.2"),
  },
  {
    name: "another spelling of the address is another name",
    given: PLAIN,
    query: "10-1-0-02.pool.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "an unknown dashed address does not exist",
    given: PLAIN,
    query: "10-1-0-3.pool.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "a dashed IPv6 address (A-6)",
    given: [SHOP, headless("shop/pool"), slice("shop/pool", { endpoints: endpoints("5678:abcd::1") })],
    query: "5678-abcd--1.pool.shop.svc.cluster.local. AAAA",
    want: answer("5678-abcd--1.pool.shop.svc.cluster.local. 5 IN AAAA 5678:abcd::1"),
  },
  {
    name: "a dashed IPv6 address in capitals",
    given: [SHOP, headless("shop/pool"), slice("shop/pool", { endpoints: endpoints("5678:abcd::1") })],
    query: "5678-ABCD--1.pool.shop.svc.cluster.local. AAAA",
    want: answer("5678-ABCD--1.pool.shop.svc.cluster.local. 5 IN AAAA 5678:abcd::1"),
  },
  {
    name: "a dashed IPv6 address that would end in a dash gets a 0 (A-6)",
    given: [SHOP, headless("shop/pool"), slice("shop/pool", { endpoints: endpoints("1234::") })],
    query: "1234--0.pool.shop.svc.cluster.local. AAAA",
    want: answer("1234--0.pool.shop.svc.cluster.local. 5 IN AAAA 1234::"),
  },
  {
    name: "and without the 0 it is no name",
    given: [SHOP, headless("shop/pool"), slice("shop/pool", { endpoints: endpoints("1234::") })],
    query: "1234--.pool.shop.svc.cluster.local. AAAA",
    want: nxdomain(),
  },
  {
    name: "endpoints without ports have addresses (A-33)",
    given: PLAIN,
    query: "pool.shop.svc.cluster.local. A",
    want: answer(
      "pool.shop.svc.cluster.local. 5 IN A 10.1.0.1",
      "pool.shop.svc.cluster.local. 5 IN A 10.1.0.2",
    ),
  },
  {
    name: "and no SRV records",
    given: PLAIN,
    query: "pool.shop.svc.cluster.local. SRV",
    want: nodata(),
  },
  {
    name: "an address in two slices is one record (A-9, B-31)",
    given: [...PLAIN, slice("shop/pool", { suffix: "2", endpoints: endpoints("10.1.0.2", "10.1.0.3") })],
    query: "pool.shop.svc.cluster.local. A",
    want: answer(
      "pool.shop.svc.cluster.local. 5 IN A 10.1.0.1",
      "pool.shop.svc.cluster.local. 5 IN A 10.1.0.2",
      "pool.shop.svc.cluster.local. 5 IN A 10.1.0.3",
    ),
  },
  {
    name: "an address with and without hostname is one record",
    given: [...PLAIN, slice("shop/pool", { suffix: "2", endpoints: [host("named", "10.1.0.2")] })],
    query: "pool.shop.svc.cluster.local. A",
    want: answer(
      "pool.shop.svc.cluster.local. 5 IN A 10.1.0.1",
      "pool.shop.svc.cluster.local. 5 IN A 10.1.0.2",
    ),
  },
  {
    name: "slices of addressType FQDN give nothing (A-10)",
    given: [
      SHOP,
      DB,
      slice("shop/db", { addressType: "FQDN", endpoints: [{ addresses: ["db.example.org"] }] }),
    ],
    query: "db.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "a slice of another namespace is not the Service's (A-9)",
    given: [SHOP, namespace("home"), DB, slice("home/db", { endpoints: endpoints("10.1.0.1") })],
    query: "db.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "a slice whose Service is unknown answers nothing",
    given: [SHOP, slice("shop/ghost", { endpoints: endpoints("10.1.0.1") })],
    query: "ghost.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "nor has it a PTR record",
    given: [SHOP, slice("shop/ghost", { endpoints: endpoints("10.1.0.1") })],
    options: { zones: ["cluster.local", "in-addr.arpa"] },
    query: "1.0.1.10.in-addr.arpa. PTR",
    want: nxdomain(5, "in-addr.arpa."),
  },
  {
    name: "SRV of a named port leads to every endpoint, with the slice's number (0.1, A-34, A-36)",
    given: [SHOP, DB, DB_SLICE],
    query: "_sql._tcp.db.shop.svc.cluster.local. SRV",
    want: {
      rcode: "NOERROR",
      answer: [
        "_sql._tcp.db.shop.svc.cluster.local. 5 IN SRV 0 50 15432 db-0.db.shop.svc.cluster.local.",
        "_sql._tcp.db.shop.svc.cluster.local. 5 IN SRV 0 50 15432 db-1.db.shop.svc.cluster.local.",
      ],
      additional: [
        "db-0.db.shop.svc.cluster.local. 5 IN A 10.1.0.10",
        "db-1.db.shop.svc.cluster.local. 5 IN A 10.1.0.11",
      ],
    },
  },
  {
    name: "SRV has one record for a target with two families, and both addresses (A-34)",
    given,
    query: "_sql._tcp.db.shop.svc.cluster.local. SRV",
    want: {
      rcode: "NOERROR",
      answer: [
        "_sql._tcp.db.shop.svc.cluster.local. 5 IN SRV 0 33 15432 db-0.db.shop.svc.cluster.local.",
        "_sql._tcp.db.shop.svc.cluster.local. 5 IN SRV 0 33 15432 db-1.db.shop.svc.cluster.local.",
      ],
      additional: [
        "db-0.db.shop.svc.cluster.local. 5 IN A 10.1.0.10",
        "db-0.db.shop.svc.cluster.local. 5 IN AAAA fd01::10",
        "db-1.db.shop.svc.cluster.local. 5 IN A 10.1.0.11",
      ],
    },
  },
  {
    name: "SRV at an endpoint's name has its ports",
    given: [SHOP, DB, DB_SLICE],
    query: "db-1.db.shop.svc.cluster.local. SRV",
    want: {
      rcode: "NOERROR",
      answer: ["db-1.db.shop.svc.cluster.local. 5 IN SRV 0 100 15432 db-1.db.shop.svc.cluster.local."],
      additional: ["db-1.db.shop.svc.cluster.local. 5 IN A 10.1.0.11"],
    },
  },
  {
    name: "SRV of the bare Service has N x M records",
    given: [
      SHOP,
      headless("shop/q"),
      slice("shop/q", { ports: ["a/TCP/1", "/UDP/2"], endpoints: endpoints("10.1.0.1", "10.1.0.2") }),
    ],
    query: "q.shop.svc.cluster.local. SRV",
    want: {
      rcode: "NOERROR",
      answer: ["10-1-0-1", "10-1-0-2"].flatMap((label) => [
        `q.shop.svc.cluster.local. 5 IN SRV 0 25 1 ${label}.q.shop.svc.cluster.local.`,
        `q.shop.svc.cluster.local. 5 IN SRV 0 25 2 ${label}.q.shop.svc.cluster.local.`,
      ]),
      additional: [
        "10-1-0-1.q.shop.svc.cluster.local. 5 IN A 10.1.0.1",
        "10-1-0-2.q.shop.svc.cluster.local. 5 IN A 10.1.0.2",
      ],
    },
  },
  {
    name: "slices with other ports give their own targets",
    given: [
      SHOP,
      headless("shop/q"),
      slice("shop/q", { ports: ["a/TCP/1"], endpoints: [host("x", "10.1.0.1")] }),
      slice("shop/q", { suffix: "2", ports: ["a/TCP/9"], endpoints: [host("y", "10.1.0.2")] }),
      slice("shop/q", { suffix: "3", ports: ["b/TCP/3"], endpoints: [host("z", "10.1.0.3")] }),
    ],
    query: "_a._tcp.q.shop.svc.cluster.local. SRV",
    want: {
      rcode: "NOERROR",
      answer: [
        "_a._tcp.q.shop.svc.cluster.local. 5 IN SRV 0 50 1 x.q.shop.svc.cluster.local.",
        "_a._tcp.q.shop.svc.cluster.local. 5 IN SRV 0 50 9 y.q.shop.svc.cluster.local.",
      ],
      additional: [
        "x.q.shop.svc.cluster.local. 5 IN A 10.1.0.1",
        "y.q.shop.svc.cluster.local. 5 IN A 10.1.0.2",
      ],
    },
  },
  {
    name: "an endpoint in two slices with different ports has both, and its address once",
    given: [
      SHOP,
      headless("shop/q"),
      slice("shop/q", { ports: ["a/TCP/1"], endpoints: [host("x", "10.1.0.1")] }),
      slice("shop/q", { suffix: "2", ports: ["a/TCP/9"], endpoints: [host("x", "10.1.0.1")] }),
    ],
    query: "x.q.shop.svc.cluster.local. SRV",
    want: {
      rcode: "NOERROR",
      answer: [
        "x.q.shop.svc.cluster.local. 5 IN SRV 0 50 1 x.q.shop.svc.cluster.local.",
        "x.q.shop.svc.cluster.local. 5 IN SRV 0 50 9 x.q.shop.svc.cluster.local.",
      ],
      additional: ["x.q.shop.svc.cluster.local. 5 IN A 10.1.0.1"],
    },
  },
  {
    name: "a port without a number is no SRV record, nor a name (discovery/v1: all ports)",
    given: [
      SHOP,
      headless("shop/q"),
      slice("shop/q", { ports: ["a/TCP/"], endpoints: endpoints("10.1.0.1") }),
    ],
    query: "_tcp.q.shop.svc.cluster.local. SRV",
    want: nxdomain(),
  },
  {
    name: "_tcp of a headless Service with a named port is an empty non-terminal",
    given,
    query: "_tcp.db.shop.svc.cluster.local. A",
    want: nodata(),
  },
  {
    name: "PTR of an endpoint with hostname (A-37)",
    given,
    query: "11.0.1.10.in-addr.arpa. PTR",
    want: answer("11.0.1.10.in-addr.arpa. 5 IN PTR db-1.db.shop.svc.cluster.local."),
  },
  {
    name: "PTR of an IPv6 endpoint with hostname (A-37)",
    given,
    query: "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.d.f.ip6.arpa. PTR",
    want: answer(
      "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.d.f.ip6.arpa. 5 IN PTR db-0.db.shop.svc.cluster.local.",
    ),
  },
  {
    name: "PTR of an endpoint without hostname leads to its dashed name",
    given: PLAIN,
    query: "1.0.1.10.in-addr.arpa. PTR",
    want: answer("1.0.1.10.in-addr.arpa. 5 IN PTR 10-1-0-1.pool.shop.svc.cluster.local."),
  },
  {
    name: "PTR of an endpoint of several Services has all of them (A-38)",
    given: [
      ...PLAIN,
      service("shop/web", { ips: ["10.0.0.1"] }),
      slice("shop/web", { endpoints: endpoints("10.1.0.1") }),
    ],
    query: "1.0.1.10.in-addr.arpa. PTR",
    want: answer(
      "1.0.1.10.in-addr.arpa. 5 IN PTR 10-1-0-1.pool.shop.svc.cluster.local.",
      "1.0.1.10.in-addr.arpa. 5 IN PTR 10-1-0-1.web.shop.svc.cluster.local.",
    ),
  },
  {
    name: "PTR of an endpoint in two slices is one record (B-31)",
    given: [
      ...PLAIN,
      slice("shop/pool", { suffix: "2", ports: ["a/TCP/1"], endpoints: endpoints("10.1.0.1") }),
    ],
    query: "1.0.1.10.in-addr.arpa. PTR",
    want: answer("1.0.1.10.in-addr.arpa. 5 IN PTR 10-1-0-1.pool.shop.svc.cluster.local."),
  },
  {
    name: "a name below an endpoint's does not exist (A-51)",
    given,
    query: "x.db-0.db.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "endpoints of headless Services are known also where others are not watched",
    given,
    options: { endpoints: "headless" },
    query: "db-0.db.shop.svc.cluster.local. A",
    want: answer("db-0.db.shop.svc.cluster.local. 5 IN A 10.1.0.10"),
  },
  {
    name: "and so is their absence",
    given,
    options: { endpoints: "headless" },
    query: "db-7.db.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
];
