import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Feed } from "../model/feed.ts";
import type { RecordBatch } from "../model/record-batch.ts";
import type { ModelRecord } from "../model/records.ts";
import type { FactSink, FeedStatus, ListOrigin, Verdict } from "../sources/source.ts";
import type { GuardPolicy, ListFacts, PolicyName } from "./guard-policy.ts";

const RETRY_BASE_MS = 60_000;
const RETRY_CAP_MS = 5 * 60_000;

/** A feed whose last list was not let through. What was served before stays served. */
export interface Hold {
  readonly policy: PolicyName;
  readonly feed: Feed;
  readonly reason: string;
  /** By the machine's clock, for people. */
  readonly sinceWallMs: number;
  /** Monotonic. */
  readonly sinceMs: number;
  /** Lists refused in a row. */
  readonly lists: number;
  /** Objects of the feed that are served meanwhile. */
  readonly heldObjects: number;
}

export interface GuardCounters {
  /** Lists held since the start, by the policy that held them. */
  readonly heldLists: ReadonlyMap<PolicyName, number>;
  /** Single changes of held feeds, which a source should not have sent. */
  readonly droppedChanges: number;
}

export interface Guard extends FactSink {
  /** What is held now, in no order. */
  holds(): readonly Hold[];
  counters(): GuardCounters;
}

export interface GuardOptions {
  /** The first that objects decides. None for manifests. */
  readonly policies: readonly GuardPolicy[];
  /** How many objects of a feed are served (`Model.countOfFeed`). */
  readonly countOfFeed: (feed: Feed) => number;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The stage between sources and model: valid answers can be the disaster too. It judges complete lists; single changes pass
 * at once, unless their feed is held.
 *
 * @param next  Gets everything that is let through.
 */
export function createGuard(options: GuardOptions, next: FactSink): Guard {
  return new ListGuard(options, next);
}

class ListGuard implements Guard {
  readonly #options: GuardOptions;
  readonly #next: FactSink;
  readonly #holds = new Map<Feed, Hold>();
  readonly #heldLists: Map<PolicyName, number>;
  #droppedChanges = 0;

  constructor(options: GuardOptions, next: FactSink) {
    this.#options = options;
    this.#next = next;
    // Zeros from the start: a rate needs one to begin from.
    this.#heldLists = new Map(options.policies.map(({ name }) => [name, 0]));
  }

  holds(): readonly Hold[] {
    return [...this.#holds.values()];
  }

  counters(): GuardCounters {
    return { heldLists: this.#heldLists, droppedChanges: this.#droppedChanges };
  }

  replace(feed: Feed, batch: RecordBatch, origin: ListOrigin): Verdict {
    const { policies, countOfFeed, clock } = this.#options;
    const list: ListFacts = {
      feed,
      listedObjects: batch.count + batch.kept.length,
      heldObjects: countOfFeed(feed),
      origin,
      nowMs: clock.nowMs(),
    };
    for (const policy of policies) {
      const reason = policy.judge(list);
      if (reason !== undefined) return this.#hold(policy.name, list, reason);
    }
    const verdict = this.#next.replace(feed, batch, origin);
    if (verdict.outcome === "accepted") {
      for (const policy of policies) policy.accepted(list);
      this.#release(feed, list.listedObjects);
    }
    return verdict;
  }

  upsert(feed: Feed, record: ModelRecord, resourceVersion: string): void {
    if (this.#holds.has(feed)) this.#droppedChanges++;
    else this.#next.upsert(feed, record, resourceVersion);
  }

  remove(feed: Feed, namespace: string, name: string, resourceVersion: string): void {
    if (this.#holds.has(feed)) this.#droppedChanges++;
    else this.#next.remove(feed, namespace, name, resourceVersion);
  }

  /** The resourceVersion of a held feed would let the next start resume from a state that was never let through. */
  bookmark(feed: Feed, resourceVersion: string): void {
    if (!this.#holds.has(feed)) this.#next.bookmark(feed, resourceVersion);
  }

  /** A held feed is never live, whatever its source believes. */
  status(feed: Feed, status: FeedStatus): void {
    const hold = this.#holds.get(feed);
    if (hold === undefined || status.phase !== "live") this.#next.status(feed, status);
    else this.#next.status(feed, { phase: "down", reason: `held by ${hold.policy}: ${hold.reason}` });
  }

  rejected(feed: Feed, where: string, reason: string): void {
    this.#next.rejected(feed, where, reason);
  }

  #hold(policy: PolicyName, { feed, heldObjects, nowMs }: ListFacts, reason: string): Verdict {
    const { clock, log } = this.#options;
    const before = this.#holds.get(feed);
    const lists = (before?.lists ?? 0) + 1;
    const retryAfterMs = Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** Math.min(lists - 1, 10));
    this.#holds.set(feed, {
      policy,
      feed,
      reason,
      sinceWallMs: before?.sinceWallMs ?? clock.wallMs(),
      sinceMs: before?.sinceMs ?? nowMs,
      lists,
      heldObjects,
    });
    this.#heldLists.set(policy, (this.#heldLists.get(policy) ?? 0) + 1);
    // Loud once: the status page and the metrics say that it goes on.
    if (before?.policy === policy)
      log.debug("guard holds another list", { policy, feed, reason, lists, retryAfterMs });
    else
      log.error("guard holds a list; the previous state stays served", {
        policy,
        feed,
        reason,
        retryAfterMs,
      });
    return { outcome: "held", reason: `held by ${policy}: ${reason}`, retryAfterMs };
  }

  #release(feed: Feed, objects: number): void {
    const hold = this.#holds.get(feed);
    if (hold === undefined) return;
    this.#holds.delete(feed);
    const seconds = Math.round((this.#options.clock.nowMs() - hold.sinceMs) / 1000);
    this.#options.log.warn("guard lets a list through again", {
      policy: hold.policy,
      feed,
      objects,
      seconds,
    });
  }
}
