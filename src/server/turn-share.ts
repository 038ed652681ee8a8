/**
 * Queries answered over TCP in one turn of the event loop, all connections together: about 2 ms of work. Without it a
 * few hundred connections that each send a segment full of queries would keep datagrams waiting.
 */
export const QUERIES_PER_TURN = 512;

/** Divides the turns of the event loop between connections. Who finds nothing left waits for a later turn, in order. */
export class TurnShare {
  #left = QUERIES_PER_TURN;
  #isRefillDue = false;
  #waiting: (() => void)[] = [];

  /** True: one query may be answered now. */
  take(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    this.#refillSoon();
    return true;
  }

  /** Calls `run` in a later turn, behind those who wait already. */
  wait(run: () => void): void {
    this.#waiting.push(run);
    this.#refillSoon();
  }

  #refillSoon(): void {
    if (this.#isRefillDue) return;
    this.#isRefillDue = true;
    setImmediate(this.#refill);
  }

  readonly #refill = (): void => {
    this.#isRefillDue = false;
    this.#left = QUERIES_PER_TURN;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const run of waiting) run();
  };
}
