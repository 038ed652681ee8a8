import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../../../src/base/backoff.ts";

const OPTIONS = { baseMs: 1000, capMs: 20_000 };

test("Backoff doubles the bound of the delay up to the cap, also after days of failures", () => {
  const backoff = new Backoff(OPTIONS, () => 0.999_999_9);
  const delays = Array.from({ length: 6 }, () => backoff.nextMs());
  assert.deepEqual(delays, [999, 1999, 3999, 7999, 15_999, 19_999]);
  for (let failure = 0; failure < 5000; failure++) assert.equal(backoff.nextMs(), 19_999);
});

test("Backoff has full jitter: any delay from zero to the bound", () => {
  const fractions = [0, 0.5, 0.25];
  const backoff = new Backoff(OPTIONS, () => fractions.shift() ?? 0);
  assert.deepEqual([backoff.nextMs(), backoff.nextMs(), backoff.nextMs()], [0, 1000, 1000]);
});

test("Backoff.reset() makes the next failure the first", () => {
  const backoff = new Backoff(OPTIONS, () => 0.5);
  backoff.nextMs();
  backoff.nextMs();
  assert.equal(backoff.failures, 2);
  backoff.reset();
  assert.equal(backoff.failures, 0);
  assert.equal(backoff.nextMs(), 500);
});
