import type { Snapshot } from "./snapshot.ts";

const DECIMAL = /^[0-9]+$/;

/**
 * Whether `other` holds all that `ours` does and more: the same cluster, every feed of ours at the same resourceVersion or
 * a later one, and one later. resourceVersions compare as decimal integers (KEP-5504); where one is not a decimal integer,
 * as with manifests, nothing is ahead.
 */
export function isAhead(other: Snapshot, ours: Snapshot): boolean {
  if (
    other.identity.caFingerprint !== ours.identity.caFingerprint ||
    other.identity.clusterUid !== ours.identity.clusterUid
  ) {
    return false;
  }
  let isLater = false;
  for (const { feed, resourceVersion, complete } of ours.feeds) {
    const theirs = other.feeds.find((candidate) => candidate.feed === feed);
    if (theirs === undefined || (complete && !theirs.complete)) return false;
    if (!DECIMAL.test(theirs.resourceVersion) || !DECIMAL.test(resourceVersion)) return false;
    const difference = BigInt(theirs.resourceVersion) - BigInt(resourceVersion);
    if (difference < 0n) return false;
    isLater ||= difference > 0n;
  }
  return isLater;
}
