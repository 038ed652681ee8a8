import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiGate, type Pass } from "../../../../src/sources/kubernetes/api-gate.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { CountingBudget } from "./reflector-harness.ts";

/** A gate whose delays are half of their bound: 500, 1000, 2000, ... ms. */
function gate() {
  const clock = new FakeClock();
  const budget = new CountingBudget();
  const options = { backoff: { baseMs: 1000, capMs: 20_000 }, healthyAfterMs: 30_000 };
  const created = new ApiGate(options, { clock, budget, random: () => 0.5 });
  const admitted: { name: string; atMs: number; pass: Pass }[] = [];
  const waiting: string[] = [];
  const enter = (name: string): (() => void) =>
    created.enter("request", {
      admitted: (pass) => admitted.push({ name, atMs: clock.nowMs(), pass }),
      waiting: (reason) => waiting.push(`${name}: ${reason}`),
    });
  const names = (): string[] => admitted.map(({ name, atMs }) => `${name}@${atMs}`);
  const last = (): Pass => admitted[admitted.length - 1].pass;
  return { clock, budget, enter, names, last, waiting, admitted };
}

test("an open gate admits at once", () => {
  const { enter, names } = gate();
  enter("a");
  enter("b");
  assert.deepEqual(names(), ["a@0", "b@0"]);
});

test("a closed gate admits one after the pause, and all others when that one succeeds", () => {
  const { enter, names, last, clock, waiting } = gate();
  enter("a");
  last().failed("refused", 0);
  enter("a");
  enter("b");
  enter("c");
  assert.deepEqual(waiting, ["a: refused", "b: refused", "c: refused"]);
  clock.advance(500);
  assert.deepEqual(names(), ["a@0", "a@500"]);
  clock.advance(60_000);
  assert.equal(names().length, 2, "one at a time");
  last().succeeded();
  assert.deepEqual(names().slice(2), ["b@60500", "c@60500"]);
});

test("feeds take turns, and each failed attempt doubles the pause", () => {
  const { enter, names, last, clock } = gate();
  enter("a");
  last().failed("refused", 0);
  enter("b");
  clock.advance(500);
  enter("a");
  last().failed("refused", 0);
  clock.advance(1000);
  enter("b");
  last().failed("refused", 0);
  clock.advance(2000);
  assert.deepEqual(names(), ["a@0", "b@500", "a@1500", "b@3500"]);
});

test("failures that come together count as one, with the longest Retry-After", () => {
  const { enter, names, admitted, clock } = gate();
  for (const name of ["a", "b", "c"]) enter(name);
  for (const [index, { pass }] of [...admitted].entries()) pass.failed("503", index * 5000);
  enter("a");
  clock.advance(9_999);
  assert.equal(names().length, 3);
  clock.advance(1);
  assert.deepEqual(names().slice(3), ["a@10000"]);
});

test("a flapping server does not reset the pause; half a minute without a failure does", () => {
  const { enter, names, last, clock } = gate();
  enter("a");
  for (const pauseMs of [500, 1000, 2000]) {
    last().failed("reset", 0);
    enter("a");
    clock.advance(pauseMs);
    last().succeeded();
  }
  assert.deepEqual(names(), ["a@0", "a@500", "a@1500", "a@3500"]);
  clock.advance(30_000);
  last().failed("reset", 0);
  enter("a");
  clock.advance(500);
  assert.equal(names().at(-1), "a@34000");
});

test("who gives up makes room for the next", () => {
  const { enter, names, last, clock } = gate();
  enter("a");
  last().failed("refused", 0);
  const leaveA = enter("a");
  const leaveB = enter("b");
  enter("c");
  leaveB();
  clock.advance(500);
  assert.deepEqual(names(), ["a@0", "a@500"]);
  last().released();
  leaveA();
  assert.deepEqual(names(), ["a@0", "a@500", "c@500"]);
});

test("nothing is left behind when all have given up", () => {
  const { enter, last, clock, budget } = gate();
  enter("a");
  last().failed("refused", 0);
  enter("a")();
  assert.equal(clock.pendingTimers, 0);
  clock.advance(10_000);
  budget.waits.push(5000);
  const leave = enter("b");
  assert.equal(clock.pendingTimers, 1);
  leave();
  assert.equal(clock.pendingTimers, 0);
});

test("every attempt is paid for, and waits while the budget says so", () => {
  const { enter, names, clock, budget, waiting } = gate();
  budget.waits.push(4000, 1000);
  enter("a");
  clock.advance(5000);
  assert.deepEqual(names(), ["a@5000"]);
  assert.deepEqual(
    waiting,
    Array.from({ length: 2 }, () => "a: the budget of API requests for a request is used up"),
  );
  assert.equal(budget.taken.request, 1);
});

test("who waited for the budget while the gate closed waits for the gate", () => {
  const { enter, names, last, clock, budget } = gate();
  enter("a");
  budget.waits.push(100);
  enter("b");
  last().failed("refused", 0);
  clock.advance(499);
  assert.deepEqual(names(), ["a@0"]);
  clock.advance(1);
  assert.deepEqual(names(), ["a@0", "b@500"]);
});
