import type { Worker } from "node:worker_threads";
import type { Backoff } from "../base/backoff.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { KindReport, SyncCommand, SyncMessage, SyncReport, SyncWorkerData } from "./messages.ts";
import { createSyncWorker } from "./sync-worker-thread.ts";

/** Without a report for this long, the thread hangs: a report comes every second, and the longest list takes a few. */
const SILENCE_MS = 30_000;
const CHECK_MS = 5_000;
/** A thread that ran this long was well: what ended it is a new failure. */
const HEALTHY_MS = 60_000;
/** Without a thread for this long, nothing is in step any more (DESIGN section 3, as for a watch that is down). */
const LOST_MS = 10_000;
/** For the last snapshot, when the agent ends. */
const STOP_MS = 3_000;
export interface SyncThreadOptions {
  readonly workerFile: string;
  /** A thread of this program that was started ahead of time; it serves for the first start. */
  readonly firstWorker?: Worker;
  readonly workerData: Omit<SyncWorkerData, "isServing">;
  readonly clock: Clock;
  /** The agent's: each component of the thread has its child. */
  readonly log: Logger;
  readonly backoff: Backoff;
  /** Applies one delta to the answer table. Where it throws, the thread is started again and sends everything anew. */
  readonly apply: (delta: Uint8Array) => void;
  /** No thread has followed the source for a while: what is answered is stale. The next thread's deltas say otherwise. */
  readonly lost: () => void;
}

/**
 * The sync thread as the DNS thread sees it: a source of deltas that may throw, run out of memory or hang at any moment. Then it is
 * ended and started again with growing pauses, and what it told us before stays in force.
 */
export class SyncThread {
  readonly #options: SyncThreadOptions;
  #worker: Worker | undefined;
  #retry: Timer | undefined;
  #check: Timer | undefined;
  #lostTimer: Timer | undefined;
  #isLost = false;
  /** The present thread has read the disk: its reports say more than those of the one before. */
  #hasRead = false;
  #startedAtMs = 0;
  #heardAtMs = 0;
  /** When a thread that had read the disk was last heard. */
  #followedAtMs = 0;
  #isStopping = false;
  #restarts = 0;
  #lastFailure = "";
  #report: SyncReport | undefined;
  #applyMaxMs = 0;
  readonly #loggers = new Map<string, Logger>();
  readonly #restored = Promise.withResolvers<boolean>();

  constructor(options: SyncThreadOptions) {
    this.#options = options;
  }

  /** Resolves when the disk was read: whether there was a snapshot. Never rejects. */
  get restored(): Promise<boolean> {
    return this.#restored.promise;
  }

  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** The longest that one delta kept the DNS loop, since the start. */
  get applyMaxMs(): number {
    return this.#applyMaxMs;
  }

  /** Why the thread last ended; empty where it never did. */
  get lastFailure(): string {
    return this.#lastFailure;
  }

  /** The newest report; it stays after the thread ended. */
  get report(): SyncReport | undefined {
    return this.#report;
  }

  /** The kinds of the newest report; none is live while no thread follows the source. */
  get kinds(): readonly KindReport[] {
    const kinds = this.#report?.kinds ?? [];
    if (!this.#isLost) return kinds;
    const lostMs = this.#options.clock.nowMs() - this.#followedAtMs;
    return kinds.map((kind) => ({
      ...kind,
      state: kind.state === "live" ? "stale" : kind.state,
      ageMs: kind.ageMs === undefined ? undefined : kind.ageMs + lostMs,
      reason: `the sync thread ended: ${this.#lastFailure}`,
    }));
  }

  start(): void {
    const { workerFile, clock } = this.#options;
    const first = this.#restarts === 0 ? this.#options.firstWorker : undefined;
    this.#hasRead = false;
    this.#startedAtMs = clock.nowMs();
    this.#heardAtMs = this.#startedAtMs;
    let worker: Worker;
    try {
      worker = first ?? createSyncWorker(workerFile);
    } catch (error) {
      this.#ended(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#worker = worker;
    let failure = "";
    worker.on("message", (message: SyncMessage) => this.#receive(worker, message));
    worker.on("error", (error) => {
      failure = error instanceof Error ? error.message : String(error);
    });
    worker.on("exit", (code) => {
      if (this.#worker === worker) this.#ended(failure || `it ended with exit code ${code}`);
    });
    if (worker.threadId < 0) {
      this.#ended("it ended before it was asked to begin");
      return;
    }
    worker.ref();
    const data = { ...this.#options.workerData, isServing: this.#restarts > 0 };
    this.#send(worker, { type: "start", data });
    this.#watchForSilence();
  }

  /** Lets the thread write its snapshot, then ends it. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#retry?.cancel();
    this.#check?.cancel();
    this.#lostTimer?.cancel();
    const worker = this.#worker;
    if (worker === undefined) return;
    const isGone = Promise.withResolvers<void>();
    worker.once("exit", () => isGone.resolve());
    this.#send(worker, { type: "stop" });
    const limit = this.#options.clock.setTimer(STOP_MS, () => void worker.terminate());
    await isGone.promise;
    limit.cancel();
  }

  #send(worker: Worker, command: SyncCommand): void {
    worker.postMessage(command);
  }

  #receive(worker: Worker, message: SyncMessage): void {
    // A thread that was given up may still have had messages under way.
    if (worker !== this.#worker) return;
    this.#heardAtMs = this.#options.clock.nowMs();
    if (message.type === "delta") this.#follow();
    if (this.#hasRead) this.#followedAtMs = this.#heardAtMs;
    switch (message.type) {
      case "delta":
        this.#apply(worker, message.delta);
        break;
      case "restored":
        this.#restored.resolve(message.hasSnapshot);
        break;
      case "log":
        this.#log(message);
        break;
      case "report":
        if (this.#hasRead || this.#report === undefined) this.#report = message.report;
        break;
    }
  }

  /** The first delta of a thread holds what it has read, and whether that is in step. */
  #follow(): void {
    this.#hasRead = true;
    this.#isLost = false;
    this.#lostTimer?.cancel();
    this.#lostTimer = undefined;
  }

  #log({ level, component, text, fields }: SyncMessage & { type: "log" }): void {
    this.#logger(component)[level](text, fields);
  }

  #logger(component: string): Logger {
    const known = this.#loggers.get(component) ?? this.#options.log.child(component);
    this.#loggers.set(component, known);
    return known;
  }

  #apply(worker: Worker, delta: Uint8Array): void {
    const { apply, clock } = this.#options;
    const startMs = clock.nowMs();
    try {
      apply(delta);
    } catch (error) {
      // Going on would leave the table without this change for good; unacknowledged, nothing would follow.
      this.#giveUp(
        worker,
        `a delta cannot be applied: ${error instanceof Error ? error.message : String(error)}`,
      );
      return;
    }
    this.#applyMaxMs = Math.max(this.#applyMaxMs, clock.nowMs() - startMs);
    this.#send(worker, { type: "applied" });
  }

  /** Does not wait for the thread's end: one that is stuck in the kernel may never come to it. */
  #giveUp(worker: Worker, reason: string): void {
    void worker.terminate();
    this.#ended(reason);
  }

  #watchForSilence(): void {
    const { clock } = this.#options;
    this.#check?.cancel();
    this.#check = clock.setTimer(CHECK_MS, () => {
      const worker = this.#worker;
      if (worker === undefined) return;
      const silentMs = clock.nowMs() - this.#heardAtMs;
      if (silentMs > SILENCE_MS) {
        this.#giveUp(worker, `it was silent for ${Math.round(silentMs / 1000)} s`);
        return;
      }
      this.#watchForSilence();
    });
  }

  #ended(reason: string): void {
    const { clock, backoff } = this.#options;
    this.#worker = undefined;
    this.#check?.cancel();
    if (this.#isStopping) return;
    this.#lastFailure = reason;
    this.#restarts++;
    if (clock.nowMs() - this.#startedAtMs > HEALTHY_MS) backoff.reset();
    const delayMs = backoff.nextMs();
    this.#logger("sync").error("sync thread ended; answers go on from what is known", {
      reason,
      restartInMs: Math.round(delayMs),
    });
    this.#expectLoss();
    // Whoever waits for the disk must not wait for a thread that cannot start.
    if (this.#restarts > 1) this.#restored.resolve(false);
    this.#retry = clock.setTimer(delayMs, () => this.start());
  }

  #expectLoss(): void {
    const { clock, lost } = this.#options;
    if (this.#isLost) return;
    const delayMs = Math.max(0, this.#followedAtMs + LOST_MS - clock.nowMs());
    this.#lostTimer ??= clock.setTimer(delayMs, () => {
      this.#isLost = true;
      lost();
    });
  }
}
