/** The shared table of cases on every way to an answer. */
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { wholeReply } from "../../cases/answer-case.ts";
import { ANSWER_CASES } from "../../cases/answer-cases.ts";
import { startAnswerPaths } from "../../support/answer-paths.ts";
import { inAnyOrder } from "../../support/answer-paths-message.ts";
import { chooseSeed, seededRandom } from "../../support/answer-paths-random.ts";

const seed = chooseSeed();
const paths = await startAnswerPaths(seededRandom(seed));
after(() => Promise.all(paths.map((path) => path.stop())));

suite(`answers (SEED=${seed})`, () => {
  for (const row of ANSWER_CASES) {
    for (const path of paths) {
      if (!path.covers(row)) continue;
      test(`${row.name}: ${row.query}, by ${path.name}`, async () => {
        assert.deepEqual(inAnyOrder(await path.ask(row)), inAnyOrder(wholeReply(row.want)));
      });
    }
  }
});

test("no two cases have one name", () => {
  const names = ANSWER_CASES.map(({ name }) => name);
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
});
