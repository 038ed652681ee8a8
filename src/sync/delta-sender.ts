/** Deltas that may be on their way at once: enough to keep both threads busy, too few to fill the DNS loop's turn. */
const SERVING_WINDOW = 2;

export type Delta = Uint8Array<ArrayBuffer>;

/**
 * Sends deltas in order and never faster than they are applied. The DNS thread drains its message queue in one turn of the event loop: a
 * relist's thousand deltas at once would hold up every packet behind them.
 *
 * Work is queued as iterators, which compile as they are read: what waits is a few names, not compiled blocks.
 */
export class DeltaSender {
  readonly #post: (delta: Delta) => void;
  readonly #queue: Iterator<Delta>[] = [];
  #unacknowledged = 0;
  #window: number;
  #whenIdle: (() => void) | undefined;

  /** @param isServing  false: no socket is open yet, nobody waits for the DNS loop, and all may be on its way at once. */
  constructor(post: (delta: Delta) => void, isServing: boolean) {
    this.#post = post;
    this.#window = isServing ? SERVING_WINDOW : Infinity;
  }

  /** From now on packets wait for the DNS loop. */
  serve(): void {
    this.#window = SERVING_WINDOW;
  }

  /** @param then  Runs when all deltas up to here were posted. */
  send(deltas: Iterable<Delta>, then?: () => void): void {
    this.#queue.push(deltas[Symbol.iterator]());
    if (then !== undefined) this.#queue.push(callback(then));
    this.#pump();
  }

  applied(): void {
    this.#unacknowledged--;
    this.#pump();
    this.#tellIfIdle();
  }

  /** Runs once, when everything that was sent so far, and what joined it meanwhile, is applied. */
  whenIdle(run: () => void): void {
    this.#whenIdle = run;
    this.#tellIfIdle();
  }

  #tellIfIdle(): void {
    if (this.#queue.length > 0 || this.#unacknowledged > 0) return;
    const run = this.#whenIdle;
    this.#whenIdle = undefined;
    run?.();
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#unacknowledged < this.#window) {
      const next = this.#queue[0].next();
      if (next.done === true) {
        this.#queue.shift();
        continue;
      }
      this.#unacknowledged++;
      this.#post(next.value);
    }
  }
}

// A generator that only runs code: the queue then keeps its order without a second kind of entry.
// oxlint-disable-next-line require-yield
function* callback(run: () => void): Generator<Delta> {
  run();
}
