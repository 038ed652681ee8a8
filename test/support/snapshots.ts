import { RecordBatch } from "../../src/model/record-batch.ts";
import type { ClusterIdentity, Snapshot } from "../../src/snapshot/snapshot.ts";

export const IDENTITY: ClusterIdentity = {
  caFingerprint: "ca-1",
  clusterUid: "uid-1",
  configDigest: "config-1",
};

/** A small state that can be told from others by its number, which is its resourceVersion too. */
export function numberedSnapshot(number: number, identity = IDENTITY): Snapshot {
  const namespaces = new RecordBatch(0);
  namespaces.append({ kind: "Namespace", name: "default" });
  const services = new RecordBatch(0);
  services.append({
    kind: "Service",
    namespace: "default",
    name: `web-${number}`,
    type: "ClusterIP",
    clusterIPs: ["10.96.0.10", "fd00::10"],
    externalName: "",
    ports: [{ name: "http", protocol: "TCP", port: 80 }],
  });
  const resourceVersion = String(number);
  return {
    identity,
    writtenAtWallMs: number,
    feeds: [
      { feed: "namespaces", resourceVersion, complete: true, records: namespaces },
      { feed: "services", resourceVersion, complete: false, records: services },
    ],
  };
}

/** The number of a `numberedSnapshot`, after proving that nothing else in it changed; undefined for none. */
export function numberOf(snapshot: Snapshot | undefined): number | undefined {
  if (snapshot === undefined) return undefined;
  const number = snapshot.writtenAtWallMs;
  const expected = JSON.stringify(plain(numberedSnapshot(number, snapshot.identity)));
  const actual = JSON.stringify(plain(snapshot));
  if (actual !== expected) throw new Error(`Cannot read the snapshot as number ${number}: it is ${actual}`);
  return number;
}

/** A snapshot with its records unpacked, for deepEqual. */
export function plain(snapshot: Snapshot): unknown {
  return {
    ...snapshot,
    feeds: snapshot.feeds.map((feed) => ({ ...feed, records: [...feed.records.records()] })),
  };
}
