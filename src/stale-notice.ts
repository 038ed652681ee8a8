import type { AnswerTable } from "./answers/answer-table.ts";
import type { Clock, Timer } from "./base/clock.ts";
import type { KindReport } from "./sync/messages.ts";

/** The age in the text is this exact; the texts are made here, since the answer path makes none. */
const INTERVAL_MS = 5_000;

/** Keeps the EXTRA-TEXT of stale answers up to date: `dig` then shows how old they are (invariant I9). */
export class StaleNotice {
  readonly #table: AnswerTable;
  readonly #kinds: () => readonly KindReport[];
  readonly #clock: Clock;
  readonly #encoder = new TextEncoder();
  #timer: Timer | undefined;

  constructor(table: AnswerTable, kinds: () => readonly KindReport[], clock: Clock) {
    this.#table = table;
    this.#kinds = kinds;
    this.#clock = clock;
  }

  start(): void {
    this.#table.staleText = this.#encoder.encode(describe(this.#kinds()));
    this.#timer = this.#clock.setTimer(INTERVAL_MS, () => this.start());
  }

  /** Idempotent. */
  stop(): void {
    this.#timer?.cancel();
  }
}

function describe(kinds: readonly KindReport[]): string {
  const agesMs = kinds.flatMap(({ state, ageMs }) =>
    state === "live" || ageMs === undefined ? [] : [ageMs],
  );
  if (agesMs.length === 0) return "not in step with the cluster";
  return `last in step with the cluster ${formatAge(Math.max(...agesMs))} ago`;
}

function formatAge(ageMs: number): string {
  const seconds = Math.round(ageMs / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}
