import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../../src/base/clock.ts";
import { EventLoopMeter } from "../../../src/metrics/event-loop-meter.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const STALL_MS = 150;

test("EventLoopMeter keeps a stall for the window it was in and the next, then forgets it", async () => {
  const clock = new FakeClock();
  const meter = new EventLoopMeter(clock);
  meter.start();
  assert.deepEqual(meter.read(), { maxSeconds: 0, p99Seconds: 0 });
  // Two wake-ups make one interval; the stall is between them, so it is seen however busy the machine is.
  while (meter.read().maxSeconds < STALL_MS / 2000) {
    const endMs = systemClock.nowMs() + STALL_MS + 100;
    while (systemClock.nowMs() < endMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const stall = meter.read().maxSeconds;
  assert.ok(meter.read().p99Seconds > 0);
  clock.advance(60_000);
  assert.equal(meter.read().maxSeconds, stall);
  clock.advance(60_000);
  assert.ok(meter.read().maxSeconds < stall);
  meter.stop();
  meter.stop();
  assert.equal(clock.pendingTimers, 0);
});
