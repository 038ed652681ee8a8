/**
 * Where we answer otherwise than CoreDNS 1.14.7, on purpose. Each row says why and what we answer instead: the recorded reply
 * with these fields replaced, everything else as CoreDNS has it.
 */
import type { Reply } from "../support/answer-paths-message.ts";

export interface DecidedDifference {
  readonly reason: string;
  /** The configuration it was recorded under; both by default. */
  readonly only?: "reverse zones served" | "reverse zones forwarded";
  /** `qname qtype`, and the EDNS payload size where the query had one. */
  readonly questions: readonly string[];
  readonly ours: (ttl: number) => Partial<Reply>;
}

const S = "testns.svc.cluster.local.";

function soa(zone: string, ttl: number): string[] {
  return [`${zone} ${ttl} IN SOA ns.dns.${zone} hostmaster.${zone} SERIAL 7200 1800 86400 ${ttl}`];
}

function nodata(ttl: number, zone = "cluster.local."): Partial<Reply> {
  return { rcode: "NOERROR", flags: "qr aa rd ra", answer: [], authority: soa(zone, ttl), additional: [] };
}

function nxdomain(ttl: number): Partial<Reply> {
  return { ...nodata(ttl), rcode: "NXDOMAIN" };
}

function alias(from: string, to: string, ttl: number): string {
  return `${from}.${S} ${ttl} IN CNAME ${to}`;
}

/** Replies of a failure: no authority over anything, no records. */
function failure(rcode: string): Partial<Reply> {
  return { rcode, flags: "qr rd ra", answer: [], authority: [], additional: [] };
}

function every(qname: string, qtypes: readonly string[]): string[] {
  return qtypes.map((qtype) => `${qname} ${qtype}`);
}

const HDLS1_TARGETS = ["172-0-0-2", "172-0-0-3", "5678-abcd--1", "5678-abcd--2", "dup-name"];

function hdls1Srv(owner: string, ttl: number): string[] {
  return HDLS1_TARGETS.map((target) => `${owner} ${ttl} IN SRV 0 16 80 ${target}.hdls1.${S}`);
}

const HDLS1_ADDRESSES = [
  "172-0-0-2 A 172.0.0.2",
  "172-0-0-3 A 172.0.0.3",
  "5678-abcd--1 AAAA 5678:abcd::1",
  "5678-abcd--2 AAAA 5678:abcd::2",
];

function hdls1Additional(ttl: number, count: number): string[] {
  return HDLS1_ADDRESSES.slice(0, count).map((text) => {
    const [label, rrtype, address] = text.split(" ");
    return `${label}.hdls1.${S} ${ttl} IN ${rrtype} ${address}`;
  });
}

/** Aliases that lead out of the cluster, and where to. */
const FOREIGN_ALIASES = [
  ["external", "ext.interwebs.test."],
  ["ext-dot", "ext.interwebs.test."],
  ["ext-nx", "nx.interwebs.test."],
  ["ext-fail", "fail.interwebs.test."],
] as const;

const ZONE_ITSELF: readonly DecidedDifference[] = [
  {
    reason: "the apex has NS records, and their target has addresses (RFC 1034 section 4.2.1; rule A-54)",
    questions: ["cluster.local. NS"],
    ours: (ttl) => ({
      answer: [`cluster.local. ${ttl} IN NS ns.dns.cluster.local.`],
      authority: [],
      additional: [`ns.dns.cluster.local. ${ttl} IN A 10.96.0.10`],
    }),
  },
  {
    reason: "the same for a reverse zone (rule A-54)",
    only: "reverse zones served",
    questions: ["in-addr.arpa. NS"],
    ours: (ttl) => ({
      answer: [`in-addr.arpa. ${ttl} IN NS ns.dns.in-addr.arpa.`],
      authority: [],
      additional: [`ns.dns.in-addr.arpa. ${ttl} IN A 10.96.0.10`],
    }),
  },
  {
    reason: "the name in the NS and SOA records resolves (rule A-54)",
    questions: ["ns.dns.cluster.local. A"],
    ours: (ttl) => ({ answer: [`ns.dns.cluster.local. ${ttl} IN A 10.96.0.10`], authority: [] }),
  },
  {
    reason: "a name that exists is NODATA for every other type (RFC 2308 section 2.2; rules A-4, A-52, A-53)",
    questions: ["cluster.local. TXT", "svc.cluster.local. TXT", `${S} TXT`, "dns-version.cluster.local. A"],
    ours: (ttl) => nodata(ttl),
  },
  {
    reason: "ANY gets one small record instead of NODATA (RFC 8482 section 4.2; rule B-70)",
    questions: ["cluster.local. ANY"],
    ours: (ttl) => ({ answer: [`cluster.local. ${ttl} IN HINFO "RFC8482" ""`], authority: [] }),
  },
  {
    reason: "the same at a Service",
    questions: [`svc1.${S} ANY`],
    ours: (ttl) => ({ answer: [`svc1.${S} ${ttl} IN HINFO "RFC8482" ""`], authority: [] }),
  },
  {
    reason: "a SOA query does not make a missing name exist (rule A-51)",
    questions: [`nosvc.${S} SOA`],
    ours: (ttl) => nxdomain(ttl),
  },
];

const SERVICES: readonly DecidedDifference[] = [
  {
    reason: "additional owner names point at the question and so have its letter case (RFC 4343 section 4.1)",
    questions: ["svc1.TestNS.svc.cluster.local. SRV"],
    ours: (ttl) => ({ additional: [`svc1.TestNS.svc.cluster.local. ${ttl} IN A 10.0.0.1`] }),
  },
  {
    reason: "port and protocol labels have underscores (Kubernetes DNS specification 2.3.2)",
    questions: [`http.tcp.svc-multi.${S} SRV`],
    ours: (ttl) => nxdomain(ttl),
  },
  {
    reason: "_port._proto has SRV records and no addresses (decision 0.3)",
    questions: [`_http._tcp.svc-multi.${S} A`],
    ours: (ttl) => nodata(ttl),
  },
  {
    reason: "_proto is an empty non-terminal (RFC 8020 section 3.1; decision 0.2)",
    questions: every(`_tcp.svc-multi.${S}`, ["SRV", "A"]),
    ours: (ttl) => nodata(ttl),
  },
  {
    reason: "a Service that has no ClusterIP yet has no address; it is no alias of the root",
    questions: [`noip.${S} A`],
    ours: (ttl) => nodata(ttl),
  },
  {
    reason:
      "SRV targets are not compressed, so less fits into 512 octets; RRsets are left out whole (RFC 2782; RFC 2181 section 9)",
    questions: every(`hdls1.${S}`, ["SRV"]),
    ours: (ttl) => ({ additional: hdls1Additional(ttl, 4) }),
  },
  {
    reason: "the same with a port",
    questions: every(`_http._tcp.hdls1.${S}`, ["SRV"]),
    ours: (ttl) => ({ additional: hdls1Additional(ttl, 4) }),
  },
];

const ALIASES: readonly DecidedDifference[] = [
  ...FOREIGN_ALIASES.map(([from, to]): DecidedDifference => ({
    reason:
      "an alias whose target cannot be looked up is a failure, not NODATA; CNAME answers every type (rules A-45, 0.5)",
    questions: every(`${from}.${S}`, ["A", "AAAA", "SRV", "TXT"]),
    ours: (ttl) => ({ rcode: "SERVFAIL", answer: [alias(from, to, ttl)], authority: [] }),
  })),
  {
    reason: "NODATA at the target keeps the alias (RFC 2308 section 2.2; rule A-44)",
    questions: every(`ext-svc.${S}`, ["AAAA", "TXT"]),
    ours: (ttl) => ({ ...nodata(ttl), answer: [alias("ext-svc", `svc1.${S}`, ttl)] }),
  },
  {
    reason: "an alias is followed for every type (RFC 1034 section 4.3.2; decision 0.5)",
    questions: [`ext-svc.${S} SRV`],
    ours: (ttl) => ({
      answer: [alias("ext-svc", `svc1.${S}`, ttl), `svc1.${S} ${ttl} IN SRV 0 100 80 svc1.${S}`],
      authority: [],
      additional: [`svc1.${S} ${ttl} IN A 10.0.0.1`],
    }),
  },
  {
    reason: "the same where it leads to a headless Service",
    questions: [`ext-hdls.${S} SRV`],
    ours: (ttl) => ({
      answer: [alias("ext-hdls", `hdls1.${S}`, ttl), ...hdls1Srv(`hdls1.${S}`, ttl)],
      authority: [],
      additional: hdls1Additional(ttl, 3),
    }),
  },
  {
    reason: "NODATA at the target keeps the alias (rule A-44)",
    questions: [`ext-hdls.${S} TXT`],
    ours: (ttl) => ({ ...nodata(ttl), answer: [alias("ext-hdls", `hdls1.${S}`, ttl)] }),
  },
  {
    reason: "NODATA behind two aliases keeps both (rule A-44)",
    questions: every(`ext-chain.${S}`, ["AAAA", "TXT"]),
    ours: (ttl) => ({
      ...nodata(ttl),
      answer: [alias("ext-chain", `ext-svc.${S}`, ttl), alias("ext-svc", `svc1.${S}`, ttl)],
    }),
  },
  {
    reason: "an alias is followed for every type (decision 0.5)",
    questions: [`ext-chain.${S} SRV`],
    ours: (ttl) => ({
      answer: [
        alias("ext-chain", `ext-svc.${S}`, ttl),
        alias("ext-svc", `svc1.${S}`, ttl),
        `svc1.${S} ${ttl} IN SRV 0 100 80 svc1.${S}`,
      ],
      authority: [],
      additional: [`svc1.${S} ${ttl} IN A 10.0.0.1`],
    }),
  },
  {
    reason: "the RCODE is that of the last name of the chain (RFC 6604 section 3; rule A-44)",
    questions: every(`ext-missing.${S}`, ["A", "AAAA", "SRV", "TXT"]),
    ours: (ttl) => ({ ...nxdomain(ttl), answer: [alias("ext-missing", `nope.${S}`, ttl)] }),
  },
  {
    reason: "a loop of aliases is a failure (RFC 1034 section 3.6.2; rule A-48)",
    questions: ["ext-loop", "ext-loop2a"].flatMap((name) =>
      every(`${name}.${S}`, ["A", "AAAA", "SRV", "TXT"]),
    ),
    ours: () => failure("SERVFAIL"),
  },
];

const REVERSE: readonly DecidedDifference[] = [
  {
    reason:
      "the beginning of an address is not denied: NXDOMAIN would deny all below it (RFC 8020 section 2; rule B-43)",
    only: "reverse zones served",
    questions: ["1.240.10.in-addr.arpa. PTR"],
    ours: (ttl) => nodata(ttl, "in-addr.arpa."),
  },
  {
    reason:
      "an address that we have a PTR record for exists for every type (RFC 2308 section 2.2; rule A-52)",
    questions: ["1.0.0.10.in-addr.arpa. A"],
    ours: (ttl) => nodata(ttl, "in-addr.arpa."),
  },
  {
    reason:
      "addresses that we do not know are for another server, which is not asked yet (DESIGN section 3, rule A-59)",
    only: "reverse zones forwarded",
    questions: [
      ...["6.0.0.172", "1.240.10", "1.0.240.10", "99.99.99.99", "9.0.113.203"].map(
        (address) => `${address}.in-addr.arpa. PTR`,
      ),
      "in-addr.arpa. SOA",
      "in-addr.arpa. NS",
    ],
    ours: () => failure("SERVFAIL"),
  },
];

const OTHERS: readonly DecidedDifference[] = [
  {
    reason: "a pod name has an address and no port: no SRV record with port 0",
    only: "reverse zones forwarded",
    questions: ["1-2-3-4.testns.pod.cluster.local. SRV"],
    ours: (ttl) => nodata(ttl),
  },
  {
    reason: "nothing is below a pod name (rule A-51)",
    only: "reverse zones forwarded",
    questions: ["x.1-2-3-4.testns.pod.cluster.local. A", "a.b.1-2-3-4.testns.pod.cluster.local. A"],
    ours: (ttl) => nxdomain(ttl),
  },
  {
    reason: "foreign names are not forwarded yet (DESIGN section 7)",
    only: "reverse zones forwarded",
    questions: ["ext.interwebs.test. A", "nx.interwebs.test. A"],
    ours: () => failure("REFUSED"),
  },
];

export const DECIDED_DIFFERENCES: readonly DecidedDifference[] = [
  ...ZONE_ITSELF,
  ...SERVICES,
  ...ALIASES,
  ...REVERSE,
  ...OTHERS,
];

/**
 * Replies that are cut or turn: records fit in other numbers, since every answer begins at another endpoint and nothing
 * over UDP is longer than 1232 octets (DNS Flag Day 2020; decision 0.12). So many of the recorded RRset must be there.
 */
export const CUT_REPLIES: Readonly<Record<string, number>> = {
  [`hdls-big.${S} A`]: 28,
  [`hdls-big.${S} A 512`]: 28,
  [`hdls-big.${S} A 1232`]: 73,
  [`hdls-big.${S} A 4096`]: 73,
};
