import type { Clock } from "../base/clock.ts";

/** Long enough for a datagram that is under way on the machine, short beside a resolver's 1 s of patience. */
const QUIET_TICK_MS = 25;
/**
 * Sockets are read between two timers, never between a late timer and what it finds: only the second silent tick in a row
 * proves that they were looked at.
 */
const QUIET_TICKS = 2;
/** Well inside a pod's grace period of 30 s; traffic that never pauses is cut off here. */
export const MAX_DRAIN_MS = 2000;

/** Resolves when `count` has stood still for about 50 ms, or at `endMs` of the clock. */
export function waitUntilQuiet(clock: Clock, endMs: number, count: () => number): Promise<void> {
  return new Promise((resolve) => {
    let last = count();
    let silentTicks = 0;
    const tick = (): void => {
      const now = count();
      silentTicks = now === last ? silentTicks + 1 : 0;
      last = now;
      if (silentTicks >= QUIET_TICKS || clock.nowMs() >= endMs) resolve();
      else clock.setTimer(QUIET_TICK_MS, tick);
    };
    clock.setTimer(QUIET_TICK_MS, tick);
  });
}
