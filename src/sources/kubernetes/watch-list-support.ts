/**
 * Whether the server streams its lists (WatchList, KEP-3157). Not known before it was tried; found out once for all feeds and
 * remembered for the life of the process: until it is known, one feed tries and the others wait for what it finds.
 */
export class WatchListSupport {
  #isSupported: boolean | undefined;
  #trying: ((isSupported: boolean) => void) | undefined;
  readonly #waiting = new Set<(isSupported: boolean) => void>();

  /**
   * Asks how to list. `run` is called now or later, with what to assume; who is told true before it is known has to call
   * `found` or `withdraw`.
   */
  ask(run: (isSupported: boolean) => void): void {
    if (this.#isSupported === undefined) {
      this.#waiting.add(run);
      this.#tryNext();
    } else run(this.#isSupported);
  }

  /** Withdraws the question, or ends the attempt without a finding. Idempotent. */
  withdraw(run: (isSupported: boolean) => void): void {
    this.#waiting.delete(run);
    if (this.#trying !== run) return;
    this.#trying = undefined;
    this.#tryNext();
  }

  /** The latest finding counts: a server that was upgraded or replaced behind its address may change its mind. */
  found(isSupported: boolean): void {
    this.#isSupported = isSupported;
    this.#trying = undefined;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const run of waiting) run(isSupported);
  }

  #tryNext(): void {
    if (this.#trying !== undefined || this.#isSupported !== undefined) return;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    this.#trying = next;
    next(true);
  }
}
