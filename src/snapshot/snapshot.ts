import type { Feed } from "../model/feed.ts";
import type { RecordBatch } from "../model/record-batch.ts";

/** The state of all feeds at one moment, as it goes to disk and comes back. */
export interface Snapshot {
  readonly identity: ClusterIdentity;
  /** Milliseconds since 1970 by the clock of the machine that wrote it: for people, never for decisions. */
  readonly writtenAtWallMs: number;
  readonly feeds: readonly SnapshotFeed[];
}

export interface SnapshotFeed {
  readonly feed: Feed;
  /** Where a watch can resume; empty for manifests. */
  readonly resourceVersion: string;
  /** Whether the feed was complete when it was written: only then absence means that something does not exist. */
  readonly complete: boolean;
  readonly records: RecordBatch;
}

/** Which cluster a snapshot describes. */
export interface ClusterIdentity {
  /** SHA-256 (hex) of the CA bundle, or of the server URL where there is none; `manifests:<directory>` for manifests. */
  readonly caFingerprint: string;
  /** UID of the kube-system Namespace; empty while unknown. */
  readonly clusterUid: string;
  /** SHA-256 (hex) of the inputs that led to `caFingerprint`: an equal digest means the same CA, without credentials. */
  readonly configDigest: string;
}
