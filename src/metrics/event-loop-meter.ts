import { monitorEventLoopDelay } from "node:perf_hooks";
import type { EventLoopDelay } from "../admin/admin-view.ts";
import type { Clock, Timer } from "../base/clock.ts";

/** A stall longer than this is always seen, a shorter one in proportion. Ten wake-ups a second cost 0.1 % of a core. */
const RESOLUTION_MS = 100;
const WINDOW_MS = 60_000;

/**
 * How late this thread's timers are: how long a query may have waited for the loop.
 *
 * Node measures it outside JavaScript (the same in JavaScript costs three times the CPU time); this class makes windows of
 * it, so that one stall is not the maximum for ever and two scrapers do not take it from each other.
 */
export class EventLoopMeter {
  readonly #clock: Clock;
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #previous: EventLoopDelay = { maxSeconds: 0, p99Seconds: 0 };
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(): void {
    this.#histogram.enable();
    this.#startWindow();
  }

  /** Idempotent. */
  stop(): void {
    this.#timer?.cancel();
    this.#histogram.disable();
  }

  /** The worse of the running window and the one before it. */
  read(): EventLoopDelay {
    const current = this.#readWindow();
    return {
      maxSeconds: Math.max(current.maxSeconds, this.#previous.maxSeconds),
      p99Seconds: Math.max(current.p99Seconds, this.#previous.p99Seconds),
    };
  }

  #startWindow(): void {
    this.#timer = this.#clock.setTimer(WINDOW_MS, () => {
      this.#previous = this.#readWindow();
      this.#histogram.reset();
      this.#startWindow();
    });
  }

  #readWindow(): EventLoopDelay {
    return {
      maxSeconds: latenessSeconds(this.#histogram.max),
      p99Seconds: latenessSeconds(this.#histogram.percentile(99)),
    };
  }
}

/** Node records the time between two wake-ups: an idle loop shows the resolution, not zero. */
function latenessSeconds(intervalNanoseconds: number): number {
  return Math.max(0, intervalNanoseconds / 1e9 - RESOLUTION_MS / 1000);
}
