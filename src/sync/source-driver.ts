import type { GuardPolicy } from "../guard/guard-policy.ts";
import type { Feed } from "../model/feed.ts";
import type { ClusterIdentity } from "../snapshot/snapshot.ts";
import type { FactSink } from "../sources/source.ts";

/** What sync needs to know of a kind of source, beside the facts that it reports. */
export interface SourceDriver {
  /** The feeds it reports, in the order in which they start. */
  readonly feeds: readonly Feed[];
  /** Whether a snapshot is of the cluster that is configured. Unknown counts as yes: what we have is better than nothing. */
  isOurs(identity: ClusterIdentity): Promise<boolean>;
  /** For the next snapshot. @param restored  What the last one said, for as long as nothing newer is known. */
  identity(restored: ClusterIdentity | undefined): ClusterIdentity;
  /** @param clusterUid  From the snapshot; empty while unknown. */
  policies(clusterUid: string): readonly GuardPolicy[];
  /** @param resume  resourceVersions of the feeds that the snapshot held whole. */
  start(sink: FactSink, resume: ReadonlyMap<Feed, string>): void;
  /** Idempotent. */
  stop(): void;
  /** Undefined where the source is not an API server. */
  traffic(): SourceTraffic | undefined;
}

/** Counts since the start. */
export interface SourceTraffic {
  readonly requestsByOutcome: Readonly<Record<string, number>>;
  readonly watchRestarts: number;
}
