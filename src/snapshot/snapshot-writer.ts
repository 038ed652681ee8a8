import type { Clock, Timer } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { SaveResult, SnapshotStore } from "./snapshot-store.ts";
import type { Snapshot } from "./snapshot.ts";

/** Changes that follow each other closely are written together. */
const GATHER_MS = 500;
/** A change is on disk this long after it was answered, unless the disk is slow. */
const PROMISE_MS = 1_000;
/** Share of the time spent writing: one part in 21. */
const REST_PER_WRITE = 20;
/** A disk that needs longer for one write is slow: then the share counts and the promise does not. */
const SLOW_WRITE_MS = 250;
const MAX_REST_MS = 60_000;
/** resourceVersions alone save a list after a restart, at most; they are not worth a write each. */
const PROGRESS_MS = 30_000;
const RETRY_BASE_MS = 1_000;
const RETRY_CAP_MS = 5 * 60_000;
const SUPERSEDED_RETRY_MS = 30_000;

export interface SnapshotWriterState {
  /** Why the last write failed; undefined after one that did not. */
  readonly problem: string | undefined;
  /** Milliseconds of the monotonic clock; undefined before the first write. */
  readonly lastSavedMs: number | undefined;
  readonly lastSizeBytes: number;
}

export interface SnapshotWriterOptions {
  readonly store: SnapshotStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** The state now; called once per write. */
  readonly takeSnapshot: () => Snapshot;
}

/**
 * Decides when the state goes to disk: soon after a change, seldom for progress alone, one write at a time, and again
 * with growing pauses while the disk refuses. Never an error: serving does not depend on it.
 */
export class SnapshotWriter {
  readonly #options: SnapshotWriterOptions;
  #timer: Timer | undefined;
  /** When the oldest unwritten change, or progress, was reported. */
  #changedAtMs: number | undefined;
  #progressedAtMs: number | undefined;
  #writing: Promise<void> | undefined;
  #lastDurationMs = 0;
  #durationBeforeMs = 0;
  /** End of the last write; before the first, when this began. */
  #lastEndMs: number;
  /** No write before this moment, after a failure. */
  #notBeforeMs = -Infinity;
  #failures = 0;
  #isStopped = false;
  #state: SnapshotWriterState = { problem: undefined, lastSavedMs: undefined, lastSizeBytes: 0 };

  constructor(options: SnapshotWriterOptions) {
    this.#options = options;
    this.#lastEndMs = options.clock.nowMs();
  }

  get state(): SnapshotWriterState {
    return this.#state;
  }

  /** Something that answers depend on is different. */
  changed(): void {
    if (this.#changedAtMs !== undefined) return;
    this.#changedAtMs = this.#options.clock.nowMs();
    this.#schedule();
  }

  /** Only resourceVersions moved on. */
  progressed(): void {
    if (this.#progressedAtMs !== undefined) return;
    this.#progressedAtMs = this.#options.clock.nowMs();
    this.#schedule();
  }

  /** Writes what is unwritten now, after a write that is under way. Resolves also if the disk refuses. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    if (this.#isDirty()) await this.#write();
  }

  /** Ends the timer; a write under way goes on. Idempotent. For a last write, `flush` first. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #isDirty(): boolean {
    return this.#changedAtMs !== undefined || this.#progressedAtMs !== undefined;
  }

  #schedule(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#isStopped || this.#writing !== undefined || !this.#isDirty()) return;
    const delayMs = Math.max(0, this.#dueMs() - this.#options.clock.nowMs());
    this.#timer = this.#options.clock.setTimer(delayMs, () => void this.#write());
  }

  #dueMs(): number {
    const forProgressMs =
      this.#progressedAtMs === undefined
        ? Infinity
        : Math.max(this.#progressedAtMs, this.#lastEndMs + PROGRESS_MS);
    return Math.max(this.#notBeforeMs, Math.min(forProgressMs, this.#dueForChangeMs()));
  }

  #dueForChangeMs(): number {
    if (this.#changedAtMs === undefined) return Infinity;
    const gatheredMs = this.#changedAtMs + GATHER_MS;
    // Two slow writes make a slow disk. One may only have waited for the thread: the first write of a start runs while a list is parsed, and
    // the Services of that list must not wait for minutes behind it.
    const durationMs = Math.min(this.#lastDurationMs, this.#durationBeforeMs);
    const restedMs = this.#lastEndMs + Math.min(MAX_REST_MS, REST_PER_WRITE * durationMs);
    if (durationMs > SLOW_WRITE_MS) return Math.max(gatheredMs, restedMs);
    const latestMs = this.#changedAtMs + PROMISE_MS - 2 * durationMs;
    return Math.min(latestMs, Math.max(gatheredMs, restedMs));
  }

  #write(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#writing = this.#writeOnce().finally(() => {
      this.#writing = undefined;
      this.#schedule();
    });
    return this.#writing;
  }

  async #writeOnce(): Promise<void> {
    const { clock } = this.#options;
    const startMs = clock.nowMs();
    const unwritten = { changedAtMs: this.#changedAtMs, progressedAtMs: this.#progressedAtMs };
    this.#changedAtMs = undefined;
    this.#progressedAtMs = undefined;
    const result = await this.#save();
    this.#lastEndMs = clock.nowMs();
    this.#durationBeforeMs = this.#lastDurationMs;
    this.#lastDurationMs = this.#lastEndMs - startMs;
    if (result.outcome === "saved") {
      this.#succeeded(result.sizeBytes);
      return;
    }
    this.#changedAtMs = unwritten.changedAtMs ?? this.#changedAtMs;
    this.#progressedAtMs = unwritten.progressedAtMs ?? this.#progressedAtMs;
    if (result.outcome === "failed") this.#failed(result.problem);
    else this.#notBeforeMs = this.#lastEndMs + SUPERSEDED_RETRY_MS;
  }

  async #save(): Promise<SaveResult> {
    try {
      return await this.#options.store.save(this.#options.takeSnapshot());
    } catch (error) {
      // Taking the snapshot may run out of memory; the state in memory is as good as before.
      return { outcome: "failed", problem: error instanceof Error ? error.message : String(error) };
    }
  }

  #succeeded(sizeBytes: number): void {
    if (this.#state.problem !== undefined) this.#options.log.info("snapshot is written again", { sizeBytes });
    this.#failures = 0;
    this.#notBeforeMs = -Infinity;
    this.#state = { problem: undefined, lastSavedMs: this.#lastEndMs, lastSizeBytes: sizeBytes };
  }

  #failed(problem: string): void {
    const delayMs = Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    this.#notBeforeMs = this.#lastEndMs + delayMs;
    // Once per change of state: a full disk is not made better by a log line per retry.
    if (this.#state.problem === undefined) {
      this.#options.log.error("snapshot cannot be written; serving goes on from memory", { problem });
    } else this.#options.log.debug("snapshot still cannot be written", { problem, failures: this.#failures });
    this.#state = { ...this.#state, problem };
  }
}
