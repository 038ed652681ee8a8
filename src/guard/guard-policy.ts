import type { Feed } from "../model/feed.ts";
import type { ListOrigin } from "../sources/source.ts";

/** Names as they appear in metrics, logs and the status page. */
export type PolicyName = "zero-guard" | "wrong-cluster";

/** What a policy may know of a list. */
export interface ListFacts {
  readonly feed: Feed;
  /** Objects in the list, with those that were listed but not understood. */
  readonly listedObjects: number;
  /** Objects of the feed that are served now. */
  readonly heldObjects: number;
  readonly origin: ListOrigin;
  /** Monotonic. */
  readonly nowMs: number;
}

/** One reason to distrust a list. A policy remembers what it needs; it decides about complete lists, never single changes. */
export interface GuardPolicy {
  readonly name: PolicyName;
  /** Why the list must not replace what is served, in one line for people; undefined: this policy has nothing against it. */
  judge(list: ListFacts): string | undefined;
  /** The list was let through by every policy and is served. */
  accepted(list: ListFacts): void;
}
