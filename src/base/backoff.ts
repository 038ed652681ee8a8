import type { Random } from "./random.ts";

export interface BackoffOptions {
  /** Upper bound of the first delay. */
  readonly baseMs: number;
  /** Upper bound of every delay. */
  readonly capMs: number;
}

/**
 * Exponential back-off with full jitter: the n-th delay is uniform in [0, min(cap, base * 2^n)).
 *
 * Full jitter, because a fleet that fails together must not come back together; equal steps kept us-central1 down for
 * hours in 2025 ("no randomized backoff").
 */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: Random;
  #failures = 0;

  constructor(options: BackoffOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  /** Failures since the last `reset`. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts one more failure and gives the delay after it. */
  nextMs(): number {
    // The exponent is capped only so that 2^n stays a number after days of failures.
    const ceilingMs = Math.min(this.#options.capMs, this.#options.baseMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return Math.floor(this.#random() * ceilingMs);
  }

  reset(): void {
    this.#failures = 0;
  }
}
