import { Compiler } from "../answers/compile.ts";
import type { DeltaWriter } from "../answers/delta.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { createGuard, type Guard } from "../guard/guard.ts";
import { type Feed, kindOfFeed } from "../model/feed.ts";
import { Model } from "../model/model.ts";
import { KINDS } from "../model/records.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { SnapshotStore } from "../snapshot/snapshot-store.ts";
import { SnapshotWriter } from "../snapshot/snapshot-writer.ts";
import { KindStates } from "../sources/kind-states.ts";
import { DeltaSender } from "./delta-sender.ts";
import { REPORT_INTERVAL_MS, type SyncMessage } from "./messages.ts";
import { ModelSink } from "./model-sink.ts";
import type { SourceDriver } from "./source-driver.ts";
import { composeReport } from "./sync-report.ts";

export interface SyncOptions {
  readonly tracksAllEndpoints: boolean;
  readonly driver: SourceDriver;
  readonly store: SnapshotStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly post: (message: SyncMessage) => void;
  /** Gives back the memory that a list or a start has left as garbage. May take some milliseconds. */
  readonly compact: () => void;
  /** The DNS thread has open sockets: it must not be kept from them by more than a delta or two. */
  readonly isServing: boolean;
}

/** After a list, the changes that follow it and the snapshot that it causes. */
const COMPACT_AFTER_MS = 3_000;

/**
 * The sync side, from source to deltas:
 *
 * ```
 * source -> guard -> model sink -> model -> compiler -> deltas -> DNS thread
 *                        |
 *                     snapshot
 * ```
 *
 * Everything that is not computation comes in through `SyncOptions`, so that a simulation can run this very code on a virtual clock.
 */
export class Sync {
  readonly #options: SyncOptions;
  readonly #model = new Model();
  readonly #compiler: Compiler;
  readonly #states: KindStates;
  readonly #modelSink: ModelSink;
  readonly #sender: DeltaSender;
  readonly #writer: SnapshotWriter;
  #guard: Guard | undefined;
  #restored: Snapshot | undefined;
  #snapshotProblems: readonly string[] = [];
  #isFlushScheduled = false;
  #areStatesChanged = false;
  #isSwept = false;
  #isStopped = false;
  #reportTimer: Timer | undefined;
  #compactTimer: Timer | undefined;

  constructor(options: SyncOptions) {
    this.#options = options;
    const { clock, log, store, driver } = options;
    this.#compiler = new Compiler(this.#model, options.tracksAllEndpoints, () =>
      this.#states.isComplete("EndpointSlice"),
    );
    this.#states = new KindStates({ feeds: driver.feeds, clock }, () => {
      this.#areStatesChanged = true;
      this.#scheduleFlush();
    });
    this.#modelSink = new ModelSink(this.#model, {
      changed: () => this.#changed(),
      progressed: () => this.#writer.progressed(),
      completed: (feed) => {
        this.#states.completed(feed);
        this.#invalidateUnconfigured(feed);
        this.#scheduleCompaction();
      },
      status: (feed, status) => this.#states.status(feed, status),
    });
    this.#sender = new DeltaSender((delta) => options.post({ type: "delta", delta }), options.isServing);
    this.#writer = new SnapshotWriter({ store, clock, log, takeSnapshot: () => this.#takeSnapshot() });
  }

  /** Loads the snapshot, sends what it holds, then follows the source. */
  async start(): Promise<void> {
    const { driver, post } = this.#options;
    this.#scheduleReport();
    await this.#restore();
    if (this.#isStopped) return;
    this.#scheduleCompaction();
    this.#sender.send(this.#compiler.all());
    // Only now: a state that is told before its facts would deny them (invariant I2).
    this.#markRestored();
    this.#sendChanges();
    this.#sender.send([], () => {
      this.#sender.serve();
      // Whoever is told so can also see what it is, and how old.
      this.#postReport();
      post({ type: "restored", hasSnapshot: this.#restored !== undefined });
    });
    this.#guard = createGuard(
      {
        policies: driver.policies(this.#restored?.identity.clusterUid ?? ""),
        countOfFeed: (feed) => this.#model.countOfFeed(feed),
        clock: this.#options.clock,
        log: this.#options.log,
      },
      this.#modelSink,
    );
    // The source after the disk: loading credentials and TLS would take the processor from the first answers.
    this.#sender.whenIdle(() => this.#follow());
  }

  #follow(): void {
    if (this.#isStopped || this.#guard === undefined) return;
    this.#options.driver.start(this.#guard, this.#resumable());
  }

  /** The DNS thread applied one delta. */
  applied(): void {
    this.#sender.applied();
  }

  /** Ends the source and writes what is unwritten. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#options.driver.stop();
    this.#states.stop();
    this.#reportTimer?.cancel();
    this.#compactTimer?.cancel();
    await this.#writer.flush();
    this.#writer.stop();
  }

  async #restore(): Promise<void> {
    const { store, driver } = this.#options;
    const loaded = await store.load((identity) => driver.isOurs(identity));
    this.#snapshotProblems = loaded.problems;
    this.#restored = loaded.snapshot;
    for (const { feed, resourceVersion, complete, records } of loaded.snapshot?.feeds ?? []) {
      this.#model.restore(feed, records);
      this.#modelSink.restore(feed, { resourceVersion, isComplete: complete });
    }
  }

  #markRestored(): void {
    for (const { feed, complete } of this.#restored?.feeds ?? []) {
      if (complete) for (const part of partsOf(feed)) this.#states.restored(part);
    }
  }

  /** A feed that was complete can go on from its resourceVersion: a restart costs no list. */
  #resumable(): ReadonlyMap<Feed, string> {
    const resumable = new Map<Feed, string>();
    for (const feed of this.#options.driver.feeds) {
      const progress = this.#modelSink.progress(feed);
      if (progress?.isComplete === true) resumable.set(feed, progress.resourceVersion);
    }
    return resumable;
  }

  #changed(): void {
    this.#scheduleFlush();
    this.#writer.changed();
  }

  /** Once for all that arrived in one turn: a chunk of a watch may hold a hundred events. */
  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    void Promise.resolve().then(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushScheduled = false;
    this.#dropUnconfigured();
    if (this.#areStatesChanged) this.#postReport();
    this.#areStatesChanged = false;
    this.#sendChanges();
  }

  /** A complete list takes objects over from feeds of an earlier configuration: no start may resume those without them. */
  #invalidateUnconfigured(completed: Feed): void {
    const { feeds } = this.#options.driver;
    for (const feed of this.#modelSink.feeds) {
      if (!feeds.includes(feed) && kindOfFeed(feed) === kindOfFeed(completed))
        this.#modelSink.invalidate(feed);
    }
  }

  /** Feeds of an earlier configuration count until the present ones have taken over their kind. */
  #dropUnconfigured(): void {
    const { feeds } = this.#options.driver;
    for (const feed of this.#modelSink.feeds) {
      if (!feeds.includes(feed) && this.#states.state(kindOfFeed(feed)) === "live")
        this.#modelSink.drop(feed);
    }
  }

  #sendChanges(): void {
    this.#sender.send(this.#compiler.changes(this.#model.takeChanges(), this.#statesNow()));
  }

  /** As of now, to be sent behind the facts that they speak of: "complete" must not overtake the last Service. */
  #statesNow(): (out: DeltaWriter) => void {
    const serial = Math.floor(this.#options.clock.wallMs() / 1000);
    const complete = KINDS.map((kind) => this.#states.isComplete(kind));
    const live = KINDS.map((kind) => this.#states.state(kind) === "live");
    // What an earlier sync thread had sent, and the present one never heard of, counts until the present one is in step.
    const isInStep = !this.#isSwept && live.every(Boolean);
    this.#isSwept ||= isInStep;
    return (out) => {
      out.serial(serial);
      for (const [index, kind] of KINDS.entries()) out.kindState(kind, complete[index], live[index]);
      if (isInStep) out.endAll();
    };
  }

  #takeSnapshot(): Snapshot {
    const { clock, driver } = this.#options;
    return {
      identity: driver.identity(this.#restored?.identity),
      writtenAtWallMs: clock.wallMs(),
      feeds: Array.from(this.#modelSink.feeds, (feed) => {
        const progress = this.#modelSink.progress(feed);
        return {
          feed,
          resourceVersion: progress?.resourceVersion ?? "",
          complete: progress?.isComplete ?? false,
          records: this.#model.exportFeed(feed),
        };
      }),
    };
  }

  #scheduleCompaction(): void {
    this.#compactTimer?.cancel();
    this.#compactTimer = this.#options.clock.setTimer(COMPACT_AFTER_MS, () => this.#options.compact());
  }

  #scheduleReport(): void {
    const { clock } = this.#options;
    this.#postReport();
    this.#reportTimer = clock.setTimer(REPORT_INTERVAL_MS, () => this.#scheduleReport());
  }

  #postReport(): void {
    const report = composeReport({
      model: this.#model,
      states: this.#states,
      sink: this.#modelSink,
      guard: this.#guard,
      writer: this.#writer,
      restored: this.#restored,
      snapshotProblems: this.#snapshotProblems,
      driver: this.#options.driver,
      clock: this.#options.clock,
    });
    this.#options.post({ type: "report", report });
  }
}

/** All slices that were known whole make each part of them known whole, should only parts be watched now. */
function partsOf(feed: Feed): readonly Feed[] {
  return feed === "endpointslices" ? [feed, "endpointslices-headless", "endpointslices-custom"] : [feed];
}
