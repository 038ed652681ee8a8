interface Asker {
  onWaiting(reason: string): void;
}

/** A request that several feeds wait for: made once, while at least one of them still wants the answer. */
export class SharedQuestion<Handler extends Asker> {
  readonly #waiting = new Set<Handler>();
  #running: { abort(): void } | undefined;

  /** @param start  Makes the request; not called where one is under way. */
  ask(handler: Handler, start: () => { abort(): void }): void {
    this.#waiting.add(handler);
    this.#running ??= start();
  }

  /** The request goes on in another form, for the same askers. */
  continueWith(running: { abort(): void }): void {
    this.#running = running;
  }

  /** The handler is not called afterwards. Idempotent. */
  withdraw(handler: Handler): void {
    if (!this.#waiting.delete(handler) || this.#waiting.size > 0) return;
    this.#running?.abort();
    this.#running = undefined;
  }

  waiting(reason: string): void {
    for (const handler of this.#waiting) handler.onWaiting(reason);
  }

  /** Whoever waits, to be given the answer; the next question is a new one. */
  takeAll(): Handler[] {
    const handlers = [...this.#waiting];
    this.#waiting.clear();
    this.#running = undefined;
    return handlers;
  }
}
