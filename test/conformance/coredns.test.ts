/** Our answers against those recorded from CoreDNS: equal, or different by a row of `decided-differences.ts`. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Reply } from "../support/answer-paths-message.ts";
import { CUT_REPLIES, DECIDED_DIFFERENCES } from "./decided-differences.ts";
import {
  createAnswerer,
  readRecordedCases,
  recordedReply,
  type RecordedCase,
  type Settings,
} from "./recorded-answers.ts";

interface Recording {
  readonly name: "reverse zones served" | "reverse zones forwarded";
  readonly file: string;
  readonly settings: Settings;
}

const RECORDINGS: readonly Recording[] = [
  {
    name: "reverse zones served",
    file: "synced-default.json",
    settings: { zones: ["cluster.local", "in-addr.arpa", "ip6.arpa"], pods: "disabled", ttlSeconds: 5 },
  },
  {
    name: "reverse zones forwarded",
    file: "synced-pods-insecure_ttl30_fallthrough-rev_forward.json",
    settings: { zones: ["cluster.local"], pods: "insecure", ttlSeconds: 30 },
  },
];

for (const { name, file, settings } of RECORDINGS) {
  suite(`CoreDNS, ${name}`, () => {
    const cases = readRecordedCases(file);
    const ask = createAnswerer(settings);
    const ours = DECIDED_DIFFERENCES.filter(({ only }) => only === undefined || only === name);
    const differences = new Map(ours.flatMap((row) => row.questions.map((question) => [question, row])));

    for (const recorded of cases) {
      const question = questionOf(recorded);
      test(question, () => {
        const expected = withRecursionAvailable(recordedReply(recorded));
        const difference = differences.get(question);
        const reply = ask(recorded);
        if (recorded.tcp !== true && question in CUT_REPLIES) {
          assertCut(reply, CUT_REPLIES[question], wholeRrset(cases, recorded));
        } else if (difference === undefined) assert.deepEqual(reply, expected);
        else {
          const replaced = { ...expected, ...difference.ours(settings.ttlSeconds) };
          assert.deepEqual(reply, replaced, difference.reason);
          assert.notDeepEqual(replaced, expected, "the row says what CoreDNS says: remove it");
        }
      });
    }

    test("every decided difference was met", () => {
      const asked = new Set(cases.map(questionOf));
      const unmet = [...differences.keys(), ...Object.keys(CUT_REPLIES)].filter(
        (question) => !asked.has(question),
      );
      assert.deepEqual(unmet, []);
    });
  });
}

function questionOf({ qname, qtype, edns, tcp }: RecordedCase): string {
  return [qname, qtype, edns, tcp === true ? "tcp" : undefined]
    .filter((word) => word !== undefined)
    .join(" ");
}

/** We offer recursion, and say so also in what we answer ourselves (decision 0.10). */
function withRecursionAvailable(reply: Reply): Reply {
  return { ...reply, flags: `${reply.flags.replace(/ ra$/, "")} ra` };
}

/** All of what CoreDNS gave over TCP. */
function wholeRrset(cases: readonly RecordedCase[], { qname, qtype }: RecordedCase): readonly string[] {
  const whole = cases.find((other) => other.tcp === true && other.qname === qname && other.qtype === qtype);
  assert.ok(whole?.answer);
  return whole.answer;
}

function assertCut(reply: Reply, count: number, rrset: readonly string[]): void {
  assert.deepEqual([reply.rcode, reply.flags], ["NOERROR", "qr aa tc rd ra"]);
  assert.equal(reply.answer.length, count);
  assert.equal(new Set(reply.answer).size, count, "a record stands there twice");
  assert.deepEqual(
    reply.answer.filter((record) => !rrset.includes(record)),
    [],
  );
  assert.deepEqual([reply.authority, reply.additional], [[], []]);
}
