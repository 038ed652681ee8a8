import type { Clock, Timer } from "../base/clock.ts";
import { type Feed, type KindState, kindOfFeed } from "../model/feed.ts";
import type { Kind } from "../model/records.ts";
import type { FeedStatus } from "./source.ts";

export interface KindStatesOptions {
  /** All feeds configured. */
  readonly feeds: readonly Feed[];
  readonly clock: Clock;
  /** How long a feed may be out of step before its kind is stale (DESIGN section 3). Default: 10 s. */
  readonly staleAfterMs?: number;
}

interface FeedState {
  readonly kind: Kind;
  isRestored: boolean;
  isComplete: boolean;
  status: FeedStatus | undefined;
  /** When it was last seen in step; undefined before the first time. */
  lastLiveAtMs: number | undefined;
  isStale: boolean;
  staleTimer: Timer | undefined;
}

const DEFAULT_STALE_AFTER_MS = 10_000;
/** From worst to best: a kind is as good as its worst feed. */
const STATES_BY_TRUST: readonly KindState[] = ["never", "syncing", "restored", "stale", "live"];

/**
 * From what a source knows about its feeds to what answers may conclude from each kind.
 *
 * A watch that breaks and returns within `staleAfterMs` changes nothing: servers end watches all the time, and a state that
 * flaps would send every unknown name to the cluster DNS.
 */
export class KindStates {
  readonly #feeds = new Map<Feed, FeedState>();
  /** What was last reported of each kind, as one string to compare. */
  readonly #reported = new Map<Kind, string>();
  readonly #clock: Clock;
  readonly #staleAfterMs: number;
  readonly #onChange: (kind: Kind) => void;

  /** @param onChange  Called when state, completeness or reason of a kind have changed, and only then. */
  constructor(options: KindStatesOptions, onChange: (kind: Kind) => void) {
    this.#clock = options.clock;
    this.#staleAfterMs = options.staleAfterMs ?? DEFAULT_STALE_AFTER_MS;
    this.#onChange = onChange;
    for (const feed of options.feeds) {
      const kind = kindOfFeed(feed);
      this.#feeds.set(feed, {
        kind,
        isRestored: false,
        isComplete: false,
        status: undefined,
        lastLiveAtMs: undefined,
        isStale: false,
        staleTimer: undefined,
      });
      this.#reported.set(kind, this.#summary(kind));
    }
  }

  /** The snapshot held a complete set of the feed. Feeds that are not configured are ignored, here and below. */
  restored(feed: Feed): void {
    const state = this.#feeds.get(feed);
    if (state === undefined) return;
    state.isRestored = true;
    state.isComplete = true;
    this.#report(state.kind);
  }

  /** A complete list of the feed was accepted. */
  completed(feed: Feed): void {
    const state = this.#feeds.get(feed);
    if (state === undefined) return;
    state.isComplete = true;
    this.#report(state.kind);
  }

  status(feed: Feed, status: FeedStatus): void {
    const state = this.#feeds.get(feed);
    if (state === undefined) return;
    if (status.phase === "live") {
      state.isComplete = true;
      state.isStale = false;
      state.staleTimer?.cancel();
      state.staleTimer = undefined;
    }
    if (status.phase === "live" || state.status?.phase === "live") state.lastLiveAtMs = this.#clock.nowMs();
    state.status = status;
    if (status.phase !== "live" && state.lastLiveAtMs !== undefined && !state.isStale)
      this.#expectStale(state);
    this.#report(state.kind);
  }

  /** `never` for a kind without a feed. */
  state(kind: Kind): KindState {
    let trust: number | undefined;
    for (const feed of this.#feedsOf(kind)) {
      const feedTrust = STATES_BY_TRUST.indexOf(stateOf(feed));
      trust = Math.min(trust ?? feedTrust, feedTrust);
    }
    return STATES_BY_TRUST[trust ?? 0];
  }

  /** Every feed of the kind was complete once, now or in the snapshot: what is not held did not exist then. */
  isComplete(kind: Kind): boolean {
    const feeds = this.#feedsOf(kind);
    return feeds.length > 0 && feeds.every((feed) => feed.isComplete);
  }

  /** One line for people about the first feed that is down; empty where none is. */
  reason(kind: Kind): string {
    for (const { status } of this.#feedsOf(kind)) if (status?.phase === "down") return status.reason;
    return "";
  }

  /** Since every feed of the kind was in step: 0 while all are; undefined while one of them never was. */
  ageMs(kind: Kind): number | undefined {
    let oldest = 0;
    const feeds = this.#feedsOf(kind);
    for (const { status, lastLiveAtMs } of feeds) {
      if (lastLiveAtMs === undefined) return undefined;
      if (status?.phase !== "live") oldest = Math.max(oldest, this.#clock.nowMs() - lastLiveAtMs);
    }
    return feeds.length === 0 ? undefined : oldest;
  }

  /** Idempotent; nothing is reported afterwards. */
  stop(): void {
    for (const state of this.#feeds.values()) state.staleTimer?.cancel();
    this.#feeds.clear();
  }

  #feedsOf(kind: Kind): FeedState[] {
    return [...this.#feeds.values()].filter((feed) => feed.kind === kind);
  }

  #expectStale(state: FeedState): void {
    state.staleTimer ??= this.#clock.setTimer(this.#staleAfterMs, () => {
      state.staleTimer = undefined;
      state.isStale = true;
      this.#report(state.kind);
    });
  }

  #report(kind: Kind): void {
    const summary = this.#summary(kind);
    if (this.#reported.get(kind) === summary) return;
    this.#reported.set(kind, summary);
    this.#onChange(kind);
  }

  #summary(kind: Kind): string {
    return `${this.state(kind)} ${this.isComplete(kind)} ${this.reason(kind)}`;
  }
}

function stateOf(feed: FeedState): KindState {
  if (feed.lastLiveAtMs !== undefined) return feed.isStale ? "stale" : "live";
  if (feed.isRestored) return "restored";
  // A first list that was taken, and whose watch is not open yet, is still being synced.
  return feed.isComplete || feed.status?.phase === "listing" ? "syncing" : "never";
}
