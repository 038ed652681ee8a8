/** Services of type ExternalName: rules. */
import { endpoints, externalName, headless, namespace, service, slice } from "../support/cluster-builder.ts";
import { answer, type AnswerCase, failure, nodata, nxdomain, soa } from "./answer-case.ts";

const SHOP = namespace("shop");
const given = [
  SHOP,
  service("shop/web", { ips: ["10.0.0.1"], ports: ["http/TCP/80"] }),
  externalName("shop/alias", "web.shop.svc.cluster.local"),
  externalName("shop/alias2", "alias.shop.svc.cluster.local"),
  externalName("shop/missing", "nope.shop.svc.cluster.local"),
  externalName("shop/foreign", "Foo.Example.com"),
];
const ALIAS = "alias.shop.svc.cluster.local. 5 IN CNAME web.shop.svc.cluster.local.";
const ALIAS2 = "alias2.shop.svc.cluster.local. 5 IN CNAME alias.shop.svc.cluster.local.";
const FOREIGN = "foreign.shop.svc.cluster.local. 5 IN CNAME Foo.Example.com.";
const MISSING = "missing.shop.svc.cluster.local. 5 IN CNAME nope.shop.svc.cluster.local.";

const LONG = "c".repeat(40);

/** Aliases `<prefix>0` to `<prefix><count>`, each to the next; the last leads to `web`. */
function chain(count: number, prefix = "c") {
  const links = Array.from({ length: count }, (_, index) =>
    externalName(`shop/${prefix}${index}`, `${prefix}${index + 1}.shop.svc.cluster.local`),
  );
  return [...given, ...links, externalName(`shop/${prefix}${count}`, "web.shop.svc.cluster.local")];
}

function chainRecords(count: number, prefix = "c"): string[] {
  return Array.from(
    { length: count },
    (_, index) =>
      `${prefix}${index}.shop.svc.cluster.local. 5 IN CNAME ${prefix}${index + 1}.shop.svc.cluster.local.`,
  );
}

export const EXTERNAL_NAME_CASES: readonly AnswerCase[] = [
  {
    name: "CNAME of an ExternalName Service is the alias alone (A-42)",
    given,
    query: "alias.shop.svc.cluster.local. CNAME",
    want: answer(ALIAS),
  },
  {
    name: "A of an alias has the alias and then the target's address (A-43)",
    given,
    query: "alias.shop.svc.cluster.local. A",
    want: answer(ALIAS, "web.shop.svc.cluster.local. 5 IN A 10.0.0.1"),
  },
  {
    name: "an alias to an alias is followed in order (A-43)",
    given,
    query: "alias2.shop.svc.cluster.local. A",
    want: answer(ALIAS2, ALIAS, "web.shop.svc.cluster.local. 5 IN A 10.0.0.1"),
  },
  {
    name: "NODATA at the target has the alias and the SOA record (A-44, B-42)",
    given,
    query: "alias.shop.svc.cluster.local. AAAA",
    want: { rcode: "NOERROR", answer: [ALIAS], authority: soa() },
  },
  {
    name: "SRV of an alias has the target's (0.5)",
    given,
    query: "alias.shop.svc.cluster.local. SRV",
    want: {
      rcode: "NOERROR",
      answer: [ALIAS, "web.shop.svc.cluster.local. 5 IN SRV 0 100 80 web.shop.svc.cluster.local."],
      additional: ["web.shop.svc.cluster.local. 5 IN A 10.0.0.1"],
    },
  },
  {
    name: "ANY of an alias is the alias (B-70)",
    given,
    query: "alias.shop.svc.cluster.local. ANY",
    want: answer(ALIAS),
  },
  {
    name: "a target that does not exist makes NXDOMAIN, with the alias (A-44)",
    given,
    query: "missing.shop.svc.cluster.local. A",
    want: { rcode: "NXDOMAIN", answer: [MISSING], authority: soa() },
  },
  {
    name: "a target that cannot exist makes NXDOMAIN, with the alias",
    given: [SHOP, externalName("shop/odd", "shop.cluster.local")],
    query: "odd.shop.svc.cluster.local. A",
    want: {
      rcode: "NXDOMAIN",
      answer: ["odd.shop.svc.cluster.local. 5 IN CNAME shop.cluster.local."],
      authority: soa(),
    },
  },
  {
    name: "a foreign target keeps its letter case, and NOERROR would say that it has no address (A-45, A-46)",
    given,
    query: "foreign.shop.svc.cluster.local. A",
    edns: {},
    want: { rcode: "SERVFAIL", flags: "qr aa rd ra", answer: [FOREIGN], ede: [20] },
  },
  {
    name: "CNAME of an alias to a foreign target is a whole answer",
    given,
    query: "foreign.shop.svc.cluster.local. CNAME",
    edns: {},
    want: answer(FOREIGN),
  },
  {
    name: "an externalName with the final dot is the same (A-46)",
    given: [SHOP, externalName("shop/dot", "foo.example.com.")],
    query: "dot.shop.svc.cluster.local. CNAME",
    want: answer("dot.shop.svc.cluster.local. 5 IN CNAME foo.example.com."),
  },
  {
    name: "an externalName that is an IPv4 address is no alias (A-47)",
    given: [SHOP, externalName("shop/ip", "1.2.3.4")],
    query: "ip.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "an alias to itself is a failure (A-48)",
    given: [SHOP, externalName("shop/self", "self.shop.svc.cluster.local")],
    query: "self.shop.svc.cluster.local. A",
    edns: {},
    want: failure("SERVFAIL", 0),
  },
  {
    name: "two aliases to each other are a failure (A-48)",
    given: [
      SHOP,
      externalName("shop/a", "b.shop.svc.cluster.local"),
      externalName("shop/b", "a.shop.svc.cluster.local"),
    ],
    query: "a.shop.svc.cluster.local. AAAA",
    edns: {},
    want: failure("SERVFAIL", 0),
  },
  {
    name: "CNAME of a loop is one record",
    given: [SHOP, externalName("shop/self", "self.shop.svc.cluster.local")],
    query: "self.shop.svc.cluster.local. CNAME",
    want: answer("self.shop.svc.cluster.local. 5 IN CNAME self.shop.svc.cluster.local."),
  },
  {
    name: "eight aliases in a row are followed (A-48)",
    given: chain(7),
    query: "c0.shop.svc.cluster.local. A",
    transport: "tcp",
    want: answer(
      ...chainRecords(7),
      "c7.shop.svc.cluster.local. 5 IN CNAME web.shop.svc.cluster.local.",
      "web.shop.svc.cluster.local. 5 IN A 10.0.0.1",
    ),
  },
  {
    name: "nine are too many (A-48)",
    given: chain(8),
    query: "c0.shop.svc.cluster.local. A",
    transport: "tcp",
    edns: {},
    want: failure("SERVFAIL", 0),
  },
  {
    name: "a chain that does not fit is cut, not a failure (B-63)",
    given: chain(8, LONG),
    query: `${LONG}0.shop.svc.cluster.local. A`,
    transport: "udp",
    edns: { size: 512 },
    want: { rcode: "NOERROR", flags: "qr aa tc rd ra", answer: chainRecords(5, LONG) },
  },
  {
    name: "an alias to a headless Service",
    given: [
      SHOP,
      headless("shop/db"),
      slice("shop/db", { endpoints: endpoints("10.1.0.1", "10.1.0.2") }),
      externalName("shop/data", "db.shop.svc.cluster.local"),
    ],
    query: "data.shop.svc.cluster.local. A",
    want: answer(
      "data.shop.svc.cluster.local. 5 IN CNAME db.shop.svc.cluster.local.",
      "db.shop.svc.cluster.local. 5 IN A 10.1.0.1",
      "db.shop.svc.cluster.local. 5 IN A 10.1.0.2",
    ),
  },
  {
    name: "an alias to a headless Service, for its SRV records",
    given: [
      SHOP,
      headless("shop/db"),
      slice("shop/db", { ports: ["sql/TCP/5432"], endpoints: endpoints("10.1.0.1") }),
      externalName("shop/data", "DB.shop.svc.cluster.local"),
    ],
    query: "data.shop.svc.cluster.local. SRV",
    want: {
      rcode: "NOERROR",
      answer: [
        "data.shop.svc.cluster.local. 5 IN CNAME DB.shop.svc.cluster.local.",
        "DB.shop.svc.cluster.local. 5 IN SRV 0 100 5432 10-1-0-1.db.shop.svc.cluster.local.",
      ],
      additional: ["10-1-0-1.DB.shop.svc.cluster.local. 5 IN A 10.1.0.1"],
    },
  },
  {
    name: "an alias to the name server",
    given: [SHOP, externalName("shop/dns", "ns.dns.cluster.local")],
    options: { nameServerAddresses: ["169.254.53.53"] },
    query: "dns.shop.svc.cluster.local. AAAA",
    want: {
      rcode: "NOERROR",
      answer: ["dns.shop.svc.cluster.local. 5 IN CNAME ns.dns.cluster.local."],
      authority: soa(),
    },
  },
  {
    name: "an alias into another zone of ours ends with that zone's SOA record",
    given: [SHOP, externalName("shop/other", "nope.shop.svc.example.org")],
    options: { zones: ["cluster.local", "example.org"] },
    query: "other.shop.svc.cluster.local. A",
    want: {
      rcode: "NXDOMAIN",
      answer: ["other.shop.svc.cluster.local. 5 IN CNAME nope.shop.svc.example.org."],
      authority: soa(5, "example.org."),
    },
  },
  {
    name: "an alias to a reverse name",
    given: [...given, externalName("shop/back", "1.0.0.10.in-addr.arpa")],
    query: "back.shop.svc.cluster.local. PTR",
    want: answer(
      "back.shop.svc.cluster.local. 5 IN CNAME 1.0.0.10.in-addr.arpa.",
      "1.0.0.10.in-addr.arpa. 5 IN PTR web.shop.svc.cluster.local.",
    ),
  },
  {
    name: "an alias to a reverse name, for another type",
    given: [...given, externalName("shop/back", "1.0.0.10.in-addr.arpa")],
    query: "back.shop.svc.cluster.local. A",
    want: {
      rcode: "NOERROR",
      answer: ["back.shop.svc.cluster.local. 5 IN CNAME 1.0.0.10.in-addr.arpa."],
      authority: soa(5, "in-addr.arpa."),
    },
  },
  {
    name: "nothing is below an alias (A-49)",
    given,
    query: "x.alias.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "an alias has no ports (A-49, A-50)",
    given,
    query: "_http._tcp.alias.shop.svc.cluster.local. SRV",
    want: nxdomain(),
  },
  {
    name: "an alias has no _tcp",
    given,
    query: "_tcp.alias.shop.svc.cluster.local. SRV",
    want: nxdomain(),
  },
  {
    name: "an alias to the apex",
    given: [SHOP, externalName("shop/apex", "cluster.local")],
    query: "apex.shop.svc.cluster.local. A",
    want: {
      ...nodata(),
      answer: ["apex.shop.svc.cluster.local. 5 IN CNAME cluster.local."],
    },
  },
  {
    name: "an alias to a name of one label",
    given: [SHOP, externalName("shop/root", "com")],
    query: "root.shop.svc.cluster.local. CNAME",
    want: answer("root.shop.svc.cluster.local. 5 IN CNAME com."),
  },
];
