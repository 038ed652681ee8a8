import type { Feed } from "../model/feed.ts";
import type { ModelRecord } from "../model/records.ts";
import type { RecordBatch } from "../model/record-batch.ts";

/**
 * The port between a source of facts and what judges and keeps them (the guard, then the model).
 *
 * Contract of a source: it starts from a complete set (`replace`) or resumes from a resourceVersion that the snapshot kept,
 * then reports single changes in order. It may repeat itself. It never reports a partial list as `replace`.
 */
export interface FactSink {
  /**
   * A complete list of one feed. The batch becomes the sink's; what the feed held and the batch lacks is gone.
   * `held` means that the guard keeps the previous state: the source must not continue from this list, but list again after
   * `retryAfterMs`.
   */
  replace(feed: Feed, batch: RecordBatch, origin: ListOrigin): Verdict;
  upsert(feed: Feed, record: ModelRecord, resourceVersion: string): void;
  remove(feed: Feed, namespace: string, name: string, resourceVersion: string): void;
  /** The feed is complete up to this resourceVersion, with no change to its objects. */
  bookmark(feed: Feed, resourceVersion: string): void;
  status(feed: Feed, status: FeedStatus): void;
  /** An object or document that was left out, with everything needed to find it. Whatever was known of it stays. */
  rejected(feed: Feed, where: string, reason: string): void;
}

export interface ListOrigin {
  /** Opaque (Kubernetes API concepts, "Resource versions"); empty for manifests. */
  readonly resourceVersion: string;
  /** UID of the kube-system Namespace of the cluster that answered; empty where there is none to ask for. */
  readonly clusterUid: string;
}

export type Verdict =
  | { readonly outcome: "accepted" }
  | { readonly outcome: "held"; readonly reason: string; readonly retryAfterMs: number };

/** What a source knows about one feed; `KindStates` turns it into what clients see. */
export type FeedStatus =
  /** The list is running. */
  | { readonly phase: "listing" }
  /** In step with the source: the watch is open and not silent. */
  | { readonly phase: "live" }
  /** Nothing can be learned now. `reason` is one line for people. */
  | { readonly phase: "down"; readonly reason: string };

export interface Source {
  start(): void;
  /** Idempotent. Nothing is reported after it returns. */
  stop(): void;
}
