import type { Clock, Timer } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { Random } from "../../base/random.ts";
import type { FactSink, FeedStatus } from "../source.ts";
import type { ApiCaller } from "./api-caller.ts";
import { type ApiFailure, isGone, isServerWide, isTooLargeResourceVersion } from "./api-failure.ts";
import type { ClusterUid } from "./cluster-uid.ts";
import { FactReporter } from "./fact-reporter.ts";
import type { FeedSpec } from "./feeds.ts";
import { PagedList } from "./paged-list.ts";
import type { ReflectorTimings } from "./reflector-timings.ts";
import type { ResumeCheck } from "./resume-check.ts";
import { compareResourceVersions } from "./resource-version.ts";
import { RetryDelays } from "./retry-delays.ts";
import { StagedList } from "./staged-list.ts";
import type { WatchListSupport } from "./watch-list-support.ts";
import { type StreamEvent, WatchStream, type WatchStreamHandler } from "./watch-stream.ts";

/** What the reflectors of a node share, and the ports. */
export interface ReflectorIo {
  readonly caller: ApiCaller;
  readonly clusterUid: ClusterUid;
  readonly resumeCheck: ResumeCheck;
  readonly watchList: WatchListSupport;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Streams that went silent, or back in time, before their resourceVersion is no longer believed. */
const MAX_SUSPICIONS = 2;
/** Streamed lists that ended early before lists are asked for in pages. */
const MAX_BROKEN_STREAMED_LISTS = 2;
/** Part of the guard's pause that is added at random. */
const HELD_JITTER = 0.1;
const UNFINISHED: ApiFailure = { type: "content", reason: "the watch ended before the streamed list did" };

/**
 * Keeps one feed in step with the API server.
 *
 *              resourceVersion known            too old, too large, doubtful, held by the guard
 *     start ---> same history? ---> watch <------------------------------------------+
 *       |                            |  ^  ended by the server: again, at once       |
 *       | none                       |  |  lost: again, after the gate or a back-off |
 *       v                            v  |                                            |
 *     cluster UID -> streamed list, or pages -> complete: `replace` -> accepted ------+
 *
 * It never gives up and never empties anything: whatever fails, the sink keeps what it has.
 */
export class Reflector {
  readonly #spec: FeedSpec;
  readonly #sink: FactSink;
  readonly #reporter: FactReporter;
  readonly #timings: ReflectorTimings;
  readonly #io: ReflectorIo;
  readonly #retry: RetryDelays;

  /** Up to where the sink knows everything; empty before the first list. */
  #resourceVersion = "";
  #mustList: boolean;
  /** The next list has to be as new as etcd: what the server's cache says is doubtful, or ours is. */
  #mustBeConsistent = false;
  /** A continue token expired: the next list comes in one piece. */
  #mustBeWhole = false;
  /** For which our resourceVersion was found good. */
  #checkedEpoch = -1;
  /** Of the server that our resourceVersion is from. */
  #history = 0;
  #suspicions = 0;
  #brokenStreamedLists = 0;

  /** What is going on now; ended by `#cancel`. */
  #activity: { abort(): void } | undefined;
  #timer: Timer | undefined;
  #settleTimer: Timer | undefined;
  #isStopped = true;
  #status: FeedStatus | undefined;
  #liveSinceMs = 0;

  /** @param resumeFrom  The resourceVersion up to which the sink holds a complete set; empty to begin with a list. */
  constructor(
    spec: FeedSpec,
    resumeFrom: string,
    timings: ReflectorTimings,
    io: ReflectorIo,
    sink: FactSink,
  ) {
    this.#spec = spec;
    this.#timings = timings;
    this.#io = io;
    this.#mustList = resumeFrom === "";
    this.#advance(resumeFrom);
    this.#sink = sink;
    this.#reporter = new FactReporter(spec, sink);
    this.#retry = new RetryDelays(timings, io.random);
  }

  start(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    this.#next();
  }

  /** Idempotent. Nothing is reported after it returns. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  #next(): void {
    if (this.#history !== this.#io.resumeCheck.history) this.#mustListAnew();
    if (this.#mustList) this.#askCluster();
    else if (this.#checkedEpoch === this.#io.resumeCheck.epoch) this.#watch();
    else this.#checkHistory();
  }

  #schedule(delayMs: number): void {
    this.#cancel();
    if (!this.#isStopped) this.#timer = this.#io.clock.setTimer(delayMs, () => this.#next());
  }

  #cancel(): void {
    this.#timer?.cancel();
    this.#settleTimer?.cancel();
    const activity = this.#activity;
    this.#activity = undefined;
    activity?.abort();
  }

  /** Begins an activity. `run` may already end it, or begin the next, before it returns. */
  #begin(activity: { abort(): void }, run: () => void): void {
    this.#cancel();
    this.#activity = activity;
    run();
  }

  /** Is the history that our resourceVersion is from still that of the server? */
  #checkHistory(): void {
    const { resumeCheck } = this.#io;
    const handler = {
      onWaiting: (reason: string) => this.#down(reason),
      onSameHistory: () => {
        this.#checkedEpoch = resumeCheck.epoch;
        this.#watch();
      },
      onOtherHistory: (reason: string) => {
        this.#mustListAnew();
        this.#down(reason);
        this.#schedule(this.#io.random() * this.#timings.relistJitterMs);
      },
      onFailure: (failure: ApiFailure) => this.#failed(failure, "watch"),
    };
    this.#begin({ abort: () => resumeCheck.withdraw(handler) }, () => resumeCheck.ask(handler));
  }

  /** Which cluster is it? What answers after an outage need not be the one from before. */
  #askCluster(): void {
    const handler = {
      onWaiting: (reason: string) => this.#down(reason),
      onUid: (uid: string) => this.#chooseList(uid),
      onFailure: (failure: ApiFailure) => this.#failed(failure, "list"),
    };
    const { clusterUid } = this.#io;
    this.#begin({ abort: () => clusterUid.withdraw(handler) }, () => clusterUid.get(handler));
  }

  #chooseList(clusterUid: string): void {
    const { watchList } = this.#io;
    const run = (isSupported: boolean): void => {
      // The streamed list goes on with the attempt that was given to us here.
      this.#activity = undefined;
      if (isSupported) this.#listByWatch(clusterUid, () => watchList.withdraw(run));
      else this.#listByPages(clusterUid);
    };
    this.#begin({ abort: () => watchList.withdraw(run) }, () => watchList.ask(run));
  }

  #listByWatch(clusterUid: string, endAttempt: () => void): void {
    const staged = new StagedList(this.#reporter);
    let isComplete = false;
    const stream = this.#stream(this.#freshness(), this.#timings.listSilenceMs, {
      sendInitialEvents: true,
      onOpen: () => {
        stream.setSilenceMs(this.#timings.initialEventsSilenceMs);
        this.#setStatus({ phase: "listing" });
      },
      onEvent: (event) => {
        if (isComplete) return this.#onEvent(event);
        if (event.type !== "BOOKMARK") return staged.add(event.type, event.object);
        if (!event.endsInitialEvents) return this.#streamedListIsUnknown();
        isComplete = true;
        stream.setSilenceMs(this.#timings.watchSilenceMs);
        this.#io.watchList.found(true);
        this.#brokenStreamedLists = 0;
        return this.#commit(staged, event.resourceVersion, clusterUid, () => this.#live());
      },
      onEnd: () => (isComplete ? this.#ended(stream) : this.#streamedListBroke(stream, UNFINISHED)),
      onFailure: (failure) => {
        if (isComplete) this.#streamFailed(stream, failure);
        else this.#streamedListBroke(stream, failure);
      },
    });
    const abort = (): void => {
      stream.abort();
      endAttempt();
    };
    this.#begin({ abort }, () => stream.start(this.#io.caller));
  }

  /** A bookmark that does not end the initial events: the server ignored that we asked for them. */
  #streamedListIsUnknown(): string {
    this.#io.watchList.found(false);
    return "the server does not mark the end of a streamed list";
  }

  #streamedListBroke(stream: WatchStream, failure: ApiFailure): void {
    const isRefused = failure.type === "status" && (failure.code === 400 || failure.code === 422);
    // Open but without an end: a server before 1.27 sends the objects and never says that they were all.
    const hasNoEnd = stream.isOpen && failure.type === "silent";
    if (stream.isOpen) this.#brokenStreamedLists++;
    if (isRefused || hasNoEnd || this.#brokenStreamedLists >= MAX_BROKEN_STREAMED_LISTS) {
      this.#brokenStreamedLists = 0;
      this.#io.log.info("lists are asked for in pages", { feed: this.#spec.feed, reason: failure.reason });
      this.#io.watchList.found(false);
      if (!isServerWide(failure) || hasNoEnd) {
        this.#schedule(0);
        return;
      }
    }
    this.#failed(failure, "list");
  }

  #listByPages(clusterUid: string): void {
    const staged = new StagedList(this.#reporter);
    const freshness = { resourceVersion: this.#freshness(), isPaged: !this.#mustBeWhole };
    const io = { caller: this.#io.caller, silenceMs: this.#timings.listSilenceMs };
    const list = new PagedList(this.#spec, freshness, io, {
      onWaiting: (reason) => this.#down(reason),
      onOpen: () => this.#setStatus({ phase: "listing" }),
      onItem: (object) => staged.add("ADDED", object),
      onEnd: (resourceVersion) => {
        const problem = this.#commit(staged, resourceVersion, clusterUid, () => this.#watch("in step"));
        if (problem !== undefined) this.#failed({ type: "content", reason: problem }, "list");
      },
      onFailure: (failure) => {
        // The continue token is too old; the server's history is shorter than our pages take.
        if (isGone(failure)) this.#mustBeWhole = true;
        this.#failed(failure, "list");
      },
    });
    this.#begin(list, () => list.start());
  }

  /** "0": anything, because anything is newer than nothing. */
  #freshness(): string {
    if (this.#mustBeConsistent) return "";
    return this.#resourceVersion === "" ? "0" : this.#resourceVersion;
  }

  /**
   * Offers a complete list to the sink, and goes on with `proceed` if it is taken.
   * @returns Why the list is not offered at all.
   */
  #commit(
    staged: StagedList,
    resourceVersion: string,
    clusterUid: string,
    proceed: () => void,
  ): string | undefined {
    const order = compareResourceVersions(resourceVersion, this.#resourceVersion) ?? 0;
    if (order < 0 && !this.#mustBeConsistent) {
      this.#mustBeConsistent = true;
      return `the list is of resourceVersion ${resourceVersion}, older than ${this.#resourceVersion} that we have`;
    }
    const { feed } = this.#spec;
    const verdict = staged.commit(this.#spec, this.#sink, { resourceVersion, clusterUid });
    if (this.#isStopped) return undefined;
    if (verdict.outcome === "held") {
      this.#mustListAnew();
      this.#down(`the list is held back: ${verdict.reason}`);
      this.#schedule(verdict.retryAfterMs * (1 + HELD_JITTER * this.#io.random()));
      return undefined;
    }
    this.#io.log.info("list complete", { feed, objects: staged.count, resourceVersion });
    this.#advance(resourceVersion);
    this.#io.resumeCheck.expect(clusterUid);
    this.#checkedEpoch = this.#io.resumeCheck.epoch;
    this.#history = this.#io.resumeCheck.history;
    this.#mustList = false;
    this.#mustBeConsistent = false;
    this.#mustBeWhole = false;
    this.#suspicions = 0;
    proceed();
    return undefined;
  }

  #watch(from: "in step" | "resourceVersion" = "resourceVersion"): void {
    const stream = this.#stream(this.#resourceVersion, this.#timings.watchSilenceMs, {
      sendInitialEvents: false,
      onOpen: () => this.#onWatchOpen(from === "in step"),
      onEvent: (event) => this.#onEvent(event),
      onEnd: () => this.#ended(stream),
      onFailure: (failure) => this.#streamFailed(stream, failure),
    });
    this.#begin(stream, () => stream.start(this.#io.caller));
  }

  #stream(
    resourceVersion: string,
    silenceMs: number,
    rest: Omit<WatchStreamHandler, "onWaiting"> & { readonly sendInitialEvents: boolean },
  ): WatchStream {
    const { sendInitialEvents, ...handler } = rest;
    const [least, most] = this.#timings.watchTimeoutSeconds;
    const timeoutSeconds = Math.floor(least + this.#io.random() * (most - least + 1));
    return new WatchStream(
      this.#spec,
      { resourceVersion, sendInitialEvents, timeoutSeconds, silenceMs },
      this.#io.clock,
      { ...handler, onWaiting: (reason) => this.#down(reason) },
    );
  }

  #onWatchOpen(isInStep: boolean): void {
    if (this.#status?.phase === "live") return;
    if (isInStep) this.#live();
    else this.#settleTimer = this.#io.clock.setTimer(this.#timings.settleMs, () => this.#live());
  }

  /** One change after the list. @returns Why the stream cannot be followed any further. */
  #onEvent(event: StreamEvent): string | undefined {
    const { resourceVersion } = event;
    const order = compareResourceVersions(resourceVersion, this.#resourceVersion);
    if (order !== undefined && order < 0) {
      this.#suspect();
      return `resourceVersion ${resourceVersion} came after ${this.#resourceVersion}`;
    }
    if (order !== 0) this.#suspicions = 0;
    this.#advance(resourceVersion);
    if (event.type === "BOOKMARK") this.#sink.bookmark(this.#spec.feed, resourceVersion);
    else if (event.type === "DELETED") this.#reporter.deleted(event.object, resourceVersion);
    else this.#reporter.changed(event.object, resourceVersion);
    return undefined;
  }

  #advance(resourceVersion: string): void {
    this.#resourceVersion = resourceVersion;
    if (this.#spec.feed === "namespaces") this.#io.resumeCheck.noteNamespaces(resourceVersion);
  }

  /** The server ended the watch in good order: not a failure, and the feed stays in step. */
  #ended(stream: WatchStream): void {
    if (stream.ageMs < this.#timings.shortWatchMs && stream.events === 0) {
      this.#failed(
        { type: "content", reason: `the watch ended after ${Math.round(stream.ageMs)} ms` },
        "watch",
      );
      return;
    }
    this.#noteHealth();
    this.#schedule(this.#io.random() * this.#timings.reopenJitterMs);
  }

  #streamFailed(stream: WatchStream, failure: ApiFailure): void {
    // An API server whose etcd was restored to an older state is silent until it reaches the resourceVersion we ask for.
    if (failure.type === "silent" && stream.isOpen) this.#suspect();
    this.#failed(failure, "watch");
  }

  #suspect(): void {
    this.#suspicions++;
    if (this.#suspicions < MAX_SUSPICIONS) return;
    this.#mustListAnew();
  }

  /** Nothing can be concluded from our resourceVersion any more. */
  #mustListAnew(): void {
    this.#suspicions = 0;
    this.#mustList = true;
    this.#mustBeConsistent = true;
  }

  #failed(failure: ApiFailure, during: "list" | "watch"): void {
    if (isServerWide(failure)) {
      this.#io.clusterUid.endEpoch();
      this.#io.resumeCheck.endEpoch();
    }
    if (isGone(failure) || isTooLargeResourceVersion(failure)) this.#mustList = true;
    if (isTooLargeResourceVersion(failure)) this.#mustBeConsistent = true;
    this.#noteHealth();
    this.#down(failure.reason);
    this.#schedule(this.#retry.delayMs(failure, during, this.#resourceVersion !== ""));
  }

  /** After a time in step, the next failure is the first again. */
  #noteHealth(): void {
    if (this.#status?.phase !== "live") return;
    if (this.#io.clock.nowMs() - this.#liveSinceMs < this.#timings.healthyAfterMs) return;
    this.#retry.reset();
  }

  #live(): void {
    if (this.#status?.phase !== "live") this.#liveSinceMs = this.#io.clock.nowMs();
    this.#setStatus({ phase: "live" });
  }

  #down(reason: string): void {
    this.#setStatus({ phase: "down", reason });
  }

  /** Only what is new: an outage of an hour is one message for each reason, not one for each attempt. */
  #setStatus(status: FeedStatus): void {
    if (this.#isStopped || isSameStatus(status, this.#status)) return;
    this.#status = status;
    const { feed } = this.#spec;
    if (status.phase === "down") this.#io.log.warn("feed is down", { feed, reason: status.reason });
    else if (status.phase === "live")
      this.#io.log.info("feed is live", { feed, resourceVersion: this.#resourceVersion });
    this.#sink.status(feed, status);
  }
}

function isSameStatus(left: FeedStatus, right: FeedStatus | undefined): boolean {
  if (left.phase !== right?.phase) return false;
  return left.phase !== "down" || right.phase !== "down" || left.reason === right.reason;
}
