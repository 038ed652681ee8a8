import { Backoff } from "../../base/backoff.ts";
import type { Random } from "../../base/random.ts";
import {
  type ApiFailure,
  isGone,
  isServerWide,
  isTooLargeResourceVersion,
  retryAfterMsOf,
} from "./api-failure.ts";
import type { ReflectorTimings } from "./reflector-timings.ts";

/** What a server says to whom it does not let read the resource, or where there is no such resource. */
const REFUSALS: ReadonlySet<number> = new Set([401, 403, 404]);

/** How long one feed waits after a failure of its own; the gate waits for all feeds where the server as a whole fails. */
export class RetryDelays {
  readonly #timings: ReflectorTimings;
  readonly #random: Random;
  readonly #backoff: Backoff;
  readonly #refusedBackoff: Backoff;

  constructor(timings: ReflectorTimings, random: Random) {
    this.#timings = timings;
    this.#random = random;
    this.#backoff = new Backoff(timings.backoff, random);
    this.#refusedBackoff = new Backoff(timings.refusedBackoff, random);
  }

  /** @param hasState  Whether a complete set is served meanwhile. */
  delayMs(failure: ApiFailure, during: "list" | "watch", hasState: boolean): number {
    // The gate knows when; being in its queue is what lets the feed go on as soon as another one succeeds.
    if (failure.type === "transport" || failure.type === "silent") return 0;
    if (isGone(failure) || isTooLargeResourceVersion(failure)) return this.#relistMs(failure, hasState);
    const isRefused = failure.type === "status" && REFUSALS.has(failure.code);
    const isWastedList = during === "list" && !isServerWide(failure);
    const backoff = isRefused || isWastedList ? this.#refusedBackoff : this.#backoff;
    return backoff.nextMs() + retryAfterMsOf(failure);
  }

  /** The feed was in step for a time: the next failure is the first again. */
  reset(): void {
    this.#backoff.reset();
    this.#refusedBackoff.reset();
  }

  #relistMs(failure: ApiFailure, hasState: boolean): number {
    // Again without a time in step between: lists that help nobody.
    const backoff = this.#backoff.failures === 0 ? this.#backoff : this.#refusedBackoff;
    const jitterMs = hasState ? this.#random() * this.#timings.relistJitterMs : 0;
    return backoff.nextMs() + jitterMs + retryAfterMsOf(failure);
  }
}
