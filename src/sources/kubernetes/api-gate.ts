import { Backoff, type BackoffOptions } from "../../base/backoff.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { RequestBudget, RequestKind } from "./request-budget.ts";

/** One request that was let through. Tell what became of it, as often as there is news. */
export interface Pass {
  /** The server answered, whatever the answer was. */
  succeeded(): void;
  /** The server as a whole cannot be used now. */
  failed(reason: string, retryAfterMs: number): void;
  /** Given up by the caller. Without effect after the others. */
  released(): void;
}

export interface GateVisitor {
  admitted(pass: Pass): void;
  /** Not yet, and this is why; may be called several times. */
  waiting(reason: string): void;
}

interface Ticket {
  readonly kind: RequestKind;
  readonly visitor: GateVisitor;
  budgetTimer: Timer | undefined;
}

export interface GateOptions {
  readonly backoff: BackoffOptions;
  /** So long without a failure makes the next one the first again. */
  readonly healthyAfterMs: number;
}

/**
 * Where all feeds of a node pass before they make a request.
 *
 * While the server fails as a whole, one of them at a time is let through, after a back-off that they share: an outage costs
 * a node one attempt per interval, not one per feed. The first success lets all others through at once. Every request also
 * has to be paid for from the budget here, so that no path can forget it.
 */
export class ApiGate {
  readonly #clock: Clock;
  readonly #budget: RequestBudget;
  readonly #options: GateOptions;
  readonly #backoff: Backoff;
  readonly #queue: Ticket[] = [];
  #isOpen = true;
  #openedAtMs = -Infinity;
  #probe: Ticket | undefined;
  #probeAtMs = 0;
  #probeTimer: Timer | undefined;
  #reason = "";

  constructor(options: GateOptions, io: { clock: Clock; random: Random; budget: RequestBudget }) {
    this.#clock = io.clock;
    this.#budget = io.budget;
    this.#options = options;
    this.#backoff = new Backoff(options.backoff, io.random);
  }

  /**
   * Asks to make one request; `admitted` may be called before this returns.
   * @returns Withdraws the request if it was not admitted yet.
   */
  enter(kind: RequestKind, visitor: GateVisitor): () => void {
    const ticket: Ticket = { kind, visitor, budgetTimer: undefined };
    this.#queue.push(ticket);
    if (!this.#isOpen) visitor.waiting(this.#reason);
    this.#pump();
    return () => this.#withdraw(ticket);
  }

  #withdraw(ticket: Ticket): void {
    ticket.budgetTimer?.cancel();
    ticket.budgetTimer = undefined;
    const index = this.#queue.indexOf(ticket);
    if (index >= 0) this.#queue.splice(index, 1);
    this.#release(ticket);
    if (this.#queue.length === 0) this.#cancelProbeTimer();
  }

  #pump(): void {
    if (this.#isOpen) {
      // The queue may grow while it is drained: what is admitted may fail at once and close the gate.
      for (const ticket of this.#queue.splice(0)) {
        if (this.#isOpen) this.#admit(ticket);
        else this.#queue.push(ticket);
      }
      return;
    }
    if (this.#probe !== undefined || this.#probeTimer !== undefined || this.#queue.length === 0) return;
    const waitMs = this.#probeAtMs - this.#clock.nowMs();
    // Less than a millisecond is rounding, of a clock that counts in fractions.
    if (waitMs >= 1) {
      this.#probeTimer = this.#clock.setTimer(waitMs, () => {
        this.#probeTimer = undefined;
        // The pause may have become longer meanwhile.
        this.#pump();
      });
      return;
    }
    this.#probe = this.#queue.shift();
    if (this.#probe !== undefined) this.#admit(this.#probe);
  }

  #admit(ticket: Ticket): void {
    const waitMs = this.#budget.take(ticket.kind);
    if (waitMs > 0) {
      ticket.visitor.waiting(`the budget of API requests for a ${ticket.kind} is used up`);
      ticket.budgetTimer = this.#clock.setTimer(waitMs, () => this.#afterBudget(ticket));
      return;
    }
    ticket.visitor.admitted({
      succeeded: () => this.#succeeded(ticket),
      failed: (reason, retryAfterMs) => this.#failed(ticket, reason, retryAfterMs),
      released: () => this.#release(ticket),
    });
  }

  #afterBudget(ticket: Ticket): void {
    ticket.budgetTimer = undefined;
    if (this.#isOpen || this.#probe === ticket) this.#admit(ticket);
    else {
      this.#queue.push(ticket);
      ticket.visitor.waiting(this.#reason);
      this.#pump();
    }
  }

  #succeeded(ticket: Ticket): void {
    if (this.#probe === ticket) this.#probe = undefined;
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#openedAtMs = this.#clock.nowMs();
    this.#cancelProbeTimer();
    this.#pump();
  }

  #failed(ticket: Ticket, reason: string, retryAfterMs: number): void {
    const nowMs = this.#clock.nowMs();
    const isProbe = this.#probe === ticket;
    if (!this.#isOpen && !isProbe) {
      // One of several that fail together: known already, but the server may ask for a longer pause.
      this.#probeAtMs = Math.max(this.#probeAtMs, nowMs + retryAfterMs);
      return;
    }
    if (this.#isOpen && nowMs - this.#openedAtMs >= this.#options.healthyAfterMs) this.#backoff.reset();
    this.#isOpen = false;
    this.#probe = undefined;
    this.#reason = reason;
    this.#probeAtMs = nowMs + retryAfterMs + this.#backoff.nextMs();
    for (const waiting of this.#queue) waiting.visitor.waiting(reason);
    this.#pump();
  }

  #release(ticket: Ticket): void {
    if (this.#probe !== ticket) return;
    this.#probe = undefined;
    this.#pump();
  }

  #cancelProbeTimer(): void {
    this.#probeTimer?.cancel();
    this.#probeTimer = undefined;
  }
}
