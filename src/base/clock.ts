/** Time as every stage sees it. The simulation replaces it; nothing else calls `Date` or a timer. */
export interface Clock {
  /** Milliseconds that only go forward; the origin is arbitrary. For ages, timeouts and back-off. */
  nowMs(): number;
  /** Milliseconds since 1970, as the machine believes. For people and for the snapshot's header, never for decisions. */
  wallMs(): number;
  /** Calls `run` once, no earlier than `delayMs` from now. */
  setTimer(delayMs: number, run: () => void): Timer;
}

export interface Timer {
  /** Idempotent; after it returns, the callback does not run. */
  cancel(): void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer(delayMs, run) {
    const handle = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};
