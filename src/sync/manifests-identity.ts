import type { ClusterIdentity } from "../snapshot/snapshot.ts";

const PREFIX = "manifests:";

/** Takes the place of a CA's fingerprint: what stands in one directory has nothing to do with what stands in another. */
export function manifestsFingerprint(directory: string): string {
  return `${PREFIX}${directory}`;
}

/** Whether a snapshot was made from manifests, of whatever directory: that can be told without any credentials. */
export function isOfManifests({ caFingerprint }: ClusterIdentity): boolean {
  return caFingerprint.startsWith(PREFIX);
}
