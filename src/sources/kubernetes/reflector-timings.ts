import type { BackoffOptions } from "../../base/backoff.ts";

/** Every wait of a reflector, in milliseconds. */
export interface ReflectorTimings {
  /** After failures; the cap is what lets a server that comes back be noticed within 30 s. */
  readonly backoff: BackoffOptions;
  /**
   * After a list that was refused or made no sense, and after 401, 403 or 404. Slower than the budget for lists refills
   * itself, so that one feed that may not list leaves the others something.
   */
  readonly refusedBackoff: BackoffOptions;
  /** So long in step makes the next failure the first again. */
  readonly healthyAfterMs: number;
  /** A watch without a byte for so long is half open: bookmarks come every 60 s. */
  readonly watchSilenceMs: number;
  readonly listSilenceMs: number;
  /** A streamed list without a byte for so long: the server does not know `sendInitialEvents`, and never says that it ended. */
  readonly initialEventsSilenceMs: number;
  /**
   * How long a resumed watch must be open before the feed counts as in step. What was missed comes at once after the
   * response headers, and so does the news that the resourceVersion is too old; nothing marks the end of it.
   */
  readonly settleMs: number;
  /** A watch that ended sooner without an event is no watch. */
  readonly shortWatchMs: number;
  /** Spreads the next watch of a fleet after servers end theirs. */
  readonly reopenJitterMs: number;
  /** Spreads the lists of a fleet whose resourceVersion is too old: it has a complete set to serve meanwhile. */
  readonly relistJitterMs: number;
  /** How much a server may be behind another one of the same cluster before its history is another one. */
  readonly laggingServerMs: number;
  /** How long the identity of the cluster is believed. */
  readonly clusterUidMs: number;
  /** `timeoutSeconds` of watches, uniform between the two (client-go has 5 to 10 minutes). */
  readonly watchTimeoutSeconds: readonly [number, number];
}

export const DEFAULT_TIMINGS: ReflectorTimings = {
  backoff: { baseMs: 1000, capMs: 20_000 },
  refusedBackoff: { baseMs: 15_000, capMs: 10 * 60_000 },
  healthyAfterMs: 30_000,
  watchSilenceMs: 90_000,
  listSilenceMs: 30_000,
  initialEventsSilenceMs: 10_000,
  settleMs: 500,
  shortWatchMs: 1000,
  reopenJitterMs: 1000,
  relistJitterMs: 5000,
  laggingServerMs: 5000,
  clusterUidMs: 10 * 60_000,
  watchTimeoutSeconds: [300, 600],
};
