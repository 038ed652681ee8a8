import type { ClusterIdentity } from "./snapshot.ts";

/** The JSON header of a snapshot file: what people and tools want to know without reading the records. */
export interface SnapshotHeader {
  readonly identity: ClusterIdentity;
  readonly writtenAtWallMs: number;
  readonly agentVersion: string;
  /** In the order of the sections. `feed` may be one that this version does not know. */
  readonly feeds: readonly FeedHeader[];
}

export interface FeedHeader {
  readonly feed: string;
  readonly resourceVersion: string;
  readonly complete: boolean;
  readonly count: number;
  readonly sizeBytes: number;
}

/**
 * Unknown keys are ignored, so that a later version can add some.
 * @throws SyntaxError or TypeError if the text is no header.
 */
export function readHeader(text: string): SnapshotHeader {
  const header = object(JSON.parse(text), "header");
  const identity = object(header["identity"], "identity");
  const feeds = header["feeds"];
  if (!Array.isArray(feeds)) throw new TypeError("header key feeds is no list");
  return {
    identity: {
      caFingerprint: string(identity, "caFingerprint"),
      clusterUid: string(identity, "clusterUid"),
      configDigest: string(identity, "configDigest"),
    },
    writtenAtWallMs: number(header, "writtenAtWallMs"),
    agentVersion: string(header, "agentVersion"),
    feeds: feeds.map((feed: unknown) => readFeed(object(feed, "feed"))),
  };
}

function readFeed(feed: Fields): FeedHeader {
  const complete = feed["complete"];
  if (typeof complete !== "boolean") throw new TypeError("header key complete is no boolean");
  return {
    feed: string(feed, "feed"),
    resourceVersion: string(feed, "resourceVersion"),
    complete,
    count: length(feed, "count"),
    sizeBytes: length(feed, "sizeBytes"),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function object(value: unknown, name: string): Fields {
  if (typeof value !== "object" || value === null) throw new TypeError(`${name} is no object`);
  return value as Fields;
}

function string(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value !== "string") throw new TypeError(`header key ${key} is no string`);
  return value;
}

function number(fields: Fields, key: string): number {
  const value = fields[key];
  if (typeof value !== "number") throw new TypeError(`header key ${key} is no number`);
  return value;
}

function length(fields: Fields, key: string): number {
  const value = number(fields, key);
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`header key ${key} is no length`);
  return value;
}
