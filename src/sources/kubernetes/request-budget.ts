import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { BudgetFile } from "./request-budget-file.ts";

/** What a request is charged as. A "list" takes a token of both kinds: it is the expensive one, and also a request. */
export type RequestKind = "request" | "list";

/** Bounds what one node can ask of the API server, whatever happens to the agent (invariant I4). */
export interface RequestBudget {
  /**
   * Takes the tokens for one HTTP request. Call before each: `list` for the first page of a list or a streamed list,
   * `request` for a further page or a watch.
   *
   * @returns 0 when the request may go out now; otherwise nothing was taken and this is the milliseconds until it may.
   */
  take(kind: RequestKind): number;
}

interface Bucket {
  /** Tokens in a full bucket. */
  readonly burst: number;
  readonly refillPerHour: number;
}

/**
 * Five feeds that each watch for five to ten minutes make about 40 requests an hour; a first list of 10,000 Services in pages
 * of 500 makes 20 more. The burst covers a start with all lists twice, the refill six times the steady state.
 */
const BUCKETS: Readonly<Record<RequestKind, Bucket>> = {
  request: { burst: 120, refillPerHour: 240 },
  list: { burst: 12, refillPerHour: 12 },
};
const KINDS_TAKEN: Readonly<Record<RequestKind, readonly RequestKind[]>> = {
  request: ["request"],
  list: ["request", "list"],
};
const MS_PER_HOUR = 3_600_000;

type Tokens = Record<RequestKind, number>;

/**
 * A token bucket that outlives the process: what is taken is in the file before the request goes out, so that a crash loop
 * does not start each time with a full bucket.
 *
 * The file is the operating system's once it is written; it is not synced, because what kills the machine also ends the loop.
 * Elapsed time is counted on the monotonic clock within a process and on the wall clock across processes; a wall clock that
 * went back counts as no time, and one that went forward fills the bucket and no more. Two agents on one file share one
 * budget: each goes on from the lower of what it remembers and what the file says.
 *
 * Without a usable file the budget holds within the process only, and says so once.
 */
export function createRequestBudget(io: {
  readonly file: BudgetFile;
  readonly clock: Clock;
  readonly log: Logger;
}): RequestBudget {
  return new PersistedBudget(io.file, io.clock, io.log);
}

class PersistedBudget implements RequestBudget {
  readonly #file: BudgetFile;
  readonly #clock: Clock;
  readonly #log: Logger;
  #tokens: Tokens = { request: BUCKETS.request.burst, list: BUCKETS.list.burst };
  #refilledAtMs: number;
  readonly #reported = new Set<string>();

  constructor(file: BudgetFile, clock: Clock, log: Logger) {
    this.#file = file;
    this.#clock = clock;
    this.#log = log;
    this.#refilledAtMs = clock.nowMs();
  }

  take(kind: RequestKind): number {
    this.#refill();
    this.#lowerToFile();
    const kinds = KINDS_TAKEN[kind];
    const waitMs = Math.max(...kinds.map((taken) => this.#waitMs(taken)));
    if (waitMs === 0) for (const taken of kinds) this.#tokens[taken] -= 1;
    // Also when nothing was taken: the file then holds this moment, and the next reading counts from here.
    this.#write();
    return waitMs;
  }

  #refill(): void {
    const nowMs = this.#clock.nowMs();
    this.#tokens = refilled(this.#tokens, nowMs - this.#refilledAtMs);
    this.#refilledAtMs = nowMs;
  }

  #lowerToFile(): void {
    let text: string | undefined;
    try {
      text = this.#file.read();
    } catch (error) {
      this.#reportOnce("the request budget cannot be read; it does not survive a restart now", error);
      return;
    }
    if (text === undefined) return;
    const kept = parseBudget(text);
    if (kept === undefined) {
      this.#reportOnce("the request budget's file is damaged; it is written anew", undefined);
      return;
    }
    const inFile = refilled(kept.tokens, this.#clock.wallMs() - kept.wallMs);
    this.#tokens.request = Math.min(this.#tokens.request, inFile.request);
    this.#tokens.list = Math.min(this.#tokens.list, inFile.list);
  }

  #waitMs(kind: RequestKind): number {
    const missing = 1 - this.#tokens[kind];
    return missing <= 0 ? 0 : Math.ceil((missing / BUCKETS[kind].refillPerHour) * MS_PER_HOUR);
  }

  #write(): void {
    try {
      this.#file.write(composeBudget(this.#tokens, this.#clock.wallMs()));
    } catch (error) {
      this.#reportOnce("the request budget cannot be written; it does not survive a restart now", error);
    }
  }

  #reportOnce(message: string, error: unknown): void {
    if (this.#reported.has(message)) return;
    this.#reported.add(message);
    this.#log.warn(message, { file: this.#file.name, error });
  }
}

function refilled(tokens: Tokens, elapsedMs: number): Tokens {
  const hours = Math.max(0, elapsedMs) / MS_PER_HOUR;
  const fill = (kind: RequestKind): number =>
    Math.min(BUCKETS[kind].burst, tokens[kind] + hours * BUCKETS[kind].refillPerHour);
  return { request: fill("request"), list: fill("list") };
}

/** Always the same length, so that writing over it in place leaves nothing of the old text behind. */
const TEXT_LENGTH = 128;

function composeBudget(tokens: Tokens, wallMs: number): string {
  // Rounded down, and to a bounded length: a double may take more than twenty characters.
  const written = (kind: RequestKind): number => Math.floor(tokens[kind] * 1e6) / 1e6;
  const kept = { version: 1, wallMs: Math.floor(wallMs), request: written("request"), list: written("list") };
  return `${JSON.stringify(kept).padEnd(TEXT_LENGTH - 1)}\n`;
}

function parseBudget(text: string): { tokens: Tokens; wallMs: number } | undefined {
  let kept: Partial<Record<"version" | "wallMs" | RequestKind, unknown>> | null;
  try {
    kept = JSON.parse(text) as typeof kept;
  } catch {
    return undefined;
  }
  const { version, wallMs, request, list } = kept ?? {};
  if (version !== 1 || !isCount(wallMs) || !isCount(request) || !isCount(list)) return undefined;
  return { tokens: { request, list }, wallMs };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
