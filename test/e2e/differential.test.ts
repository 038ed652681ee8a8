import assert from "node:assert/strict";
import { test } from "node:test";
import { SMALL_CLUSTER } from "../support/control-plane-sizes.ts";
import { CoreDns } from "../support/coredns.ts";
import type { DnsReply, RrType } from "../support/dns-probe-message.ts";
import { DnsProbe, forEachConcurrently } from "../support/dns-probe.ts";
import { openAnyCluster, startAgent } from "./cluster-under-test.ts";
import { comparableAnswers, expectedAnswers } from "./expected-answers.ts";
import { seededRandom } from "./seeded-random.ts";

const QUERIES = 5000;
const TYPES = ["A", "AAAA", "SRV", "PTR", "CNAME", "TXT"] as const satisfies readonly RrType[];

interface Question {
  readonly qname: string;
  readonly qtype: RrType;
}

interface Difference {
  /** In lower case. */
  readonly qname: string;
  readonly qtype: RrType;
  readonly ours: DnsReply;
  readonly coredns: DnsReply;
}

/** Where the answers are meant to differ, with the reason. Everything else must be equal. */
const DECIDED_DIFFERENCES: readonly {
  readonly reason: string;
  readonly applies: (difference: Difference) => boolean;
}[] = [
  {
    reason:
      "below a Service, _proto alone is an empty non-terminal: NODATA (RFC 8020 section 3.1), not NXDOMAIN",
    applies: ({ qname, ours }) => /^_(tcp|udp|sctp)\./.test(qname) && isNodata(ours),
  },
  {
    reason: "a port name has SRV records only: NODATA for other types (Kubernetes DNS specification 2.3.2)",
    applies: ({ qname, qtype, ours }) =>
      /^_[^.]+\._(tcp|udp)\./.test(qname) && qtype !== "SRV" && isNodata(ours),
  },
  {
    reason:
      "an alias answers every type with its CNAME (RFC 1034 section 3.6.2), also when the target lacks the type",
    applies: ({ ours, coredns }) => ours.answers.some(isAlias) && isNodata(coredns),
  },
  {
    reason:
      "an alias that leaves our zones is SERVFAIL with its CNAME until forwarding exists (RFC 2308 section 2.2.1)",
    applies: ({ ours, coredns }) => {
      return (
        ours.rcode === "SERVFAIL" && ours.answers.every(isAlias) && ours.answers[0] === coredns.answers[0]
      );
    },
  },
  {
    reason: "a name outside our zones is REFUSED until forwarding exists; CoreDNS without a forwarder fails",
    applies: ({ ours, coredns }) => ours.rcode === "REFUSED" && coredns.rcode === "SERVFAIL",
  },
  {
    reason:
      "a reverse name that has a PTR exists: NODATA for other types (RFC 2308 section 2.2), not NXDOMAIN",
    applies: ({ qname, qtype, ours }) => isWholeReverseName(qname) && qtype !== "PTR" && isNodata(ours),
  },
  {
    reason:
      "the beginning of an address stands above reverse names: NODATA, since NXDOMAIN would deny them too (RFC 8020)",
    applies: ({ qname, ours }) => /^([0-9a-f]+\.)+(in-addr|ip6)\.arpa$/.test(qname) && isNodata(ours),
  },
  {
    reason: "a label in front of a reverse name makes another name: NXDOMAIN; CoreDNS passes over it",
    applies: ({ qname, ours }) =>
      qname.endsWith(".arpa") && !isWholeReverseName(qname) && ours.rcode === "NXDOMAIN",
  },
  {
    reason: "a namespace exists for every type: NODATA (RFC 8020 section 2), where CoreDNS denies TXT",
    applies: ({ qname, qtype, ours }) => {
      return /^[^.]+\.svc\.cluster\.local$/.test(qname) && qtype === "TXT" && isNodata(ours);
    },
  },
];

test(
  "random queries get the answers of CoreDNS but for the decided differences",
  { timeout: 120_000 },
  async (t) => {
    const random = seededRandom(t);
    const opened = await openAnyCluster(t, SMALL_CLUSTER);
    if (opened === undefined) return;
    const { agent } = await startAgent(t, {
      kubeconfig: opened.kubeconfig,
      endpoints: "all",
      // As CoreDNS has them, whole: otherwise a reverse name that we do not hold is not ours to deny.
      zones: ["cluster.local", "in-addr.arpa", "ip6.arpa"],
    });
    const coredns = await CoreDns.start(opened.otherKubeconfig);
    t.after(() => coredns.close());
    const [ours, theirs] = [await DnsProbe.open(agent.port), await DnsProbe.open(coredns.port)];
    t.after(() => [ours, theirs].forEach((probe) => probe.close()));

    const names = [...new Set(expectedAnswers(opened.cluster).map(({ qname }) => qname))];
    const questions = Array.from({ length: QUERIES }, () => randomQuestion(names, random));
    const unexplained: string[] = [];
    const explained = new Map<string, number>();
    await forEachConcurrently(questions, 16, async (question) => {
      const { qname, qtype } = question;
      const [we, they] = await Promise.all([ours.query(qname, qtype), theirs.query(qname, qtype)]);
      if (describe(we) === describe(they)) return;
      const difference = { qname: qname.toLowerCase(), qtype, ours: we, coredns: they };
      const reason = DECIDED_DIFFERENCES.find(({ applies }) => applies(difference))?.reason;
      if (reason === undefined)
        unexplained.push(`${qname} ${qtype}: ${describe(we)}, CoreDNS ${describe(they)}`);
      else explained.set(reason, (explained.get(reason) ?? 0) + 1);
    });
    for (const [reason, count] of explained) console.log(`# ${count} differ as decided: ${reason}`);
    assert.deepEqual(
      unexplained.slice(0, 10),
      [],
      `${unexplained.length} of ${QUERIES} differ without a reason`,
    );
  },
);

function describe(reply: DnsReply): string {
  return `${reply.rcode} [${comparableAnswers(reply).join(", ")}]`;
}

/** A name that exists, or one that nearly does. */
function randomQuestion(names: readonly string[], random: () => number): Question {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)];
  const labels = pick(names).split(".");
  const at = Math.floor(random() * labels.length);
  const change = random();
  if (change < 0.1) labels.splice(at, 1);
  else if (change < 0.2) labels.splice(at, 0, pick(["extra", "_tcp", "0", "10-0-0-1", "pod", "a"]));
  else if (change < 0.3) labels[at] = pick(["changed", "svc", "_http", "255", "1", "pod"]);
  else if (change < 0.4) labels[at] = labels[at].toUpperCase();
  return { qname: labels.join("."), qtype: pick(TYPES) };
}

function isAlias(answer: string): boolean {
  return answer.includes(" CNAME ");
}

function isNodata(reply: DnsReply): boolean {
  return reply.rcode === "NOERROR" && reply.answers.length === 0;
}

/** In lower case: four octets, or 32 nibbles. */
function isWholeReverseName(qname: string): boolean {
  const labels = qname.split(".").length;
  return qname.endsWith(".in-addr.arpa") ? labels === 6 : labels === 34;
}
