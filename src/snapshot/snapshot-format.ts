import { FEEDS } from "../model/feed.ts";
import { RecordBatch } from "../model/record-batch.ts";
import { readHeader } from "./snapshot-header.ts";
import type { SnapshotHeader } from "./snapshot-header.ts";
import type { Snapshot, SnapshotFeed } from "./snapshot.ts";

/**
 * The snapshot file, all integers big-endian:
 *
 *     "HOLDFAST"  u16 format version  u16 minimum reader version  u32 header length  header (JSON)
 *     for each feed of the header: u32 length, packed records (RecordBatch)
 *     SHA-256 of everything before
 *
 * A reader takes the file if the minimum reader version is not above its own format version. So a change that old readers
 * can ignore (a header key, a feed) raises only the first number; one they cannot raises both.
 */
const FORMAT_VERSION = 1;
const MINIMUM_READER_VERSION = 1;

const MAGIC = new TextEncoder().encode("HOLDFAST");
const PREAMBLE_BYTES = MAGIC.length + 2 + 2 + 4;
const SECTION_PREFIX_BYTES = 4;
export const DIGEST_BYTES = 32;

/** SHA-256 over the chunks in order. Passed in: this file is pure. */
export type Digest = (chunks: readonly Uint8Array[]) => Uint8Array;

export type DecodedSnapshot =
  | { readonly outcome: "snapshot"; readonly snapshot: Snapshot }
  /** Written by a version whose files this one cannot read. */
  | { readonly outcome: "newer"; readonly reason: string }
  | { readonly outcome: "damaged"; readonly reason: string };

/**
 * @returns The file in pieces, to be written one after the other. They share memory with the snapshot's batches: joining them
 * would hold everything twice.
 */
export function encodeSnapshot(
  snapshot: Snapshot,
  agentVersion: string,
  digest: Digest,
): readonly Uint8Array[] {
  const header: SnapshotHeader = {
    identity: snapshot.identity,
    writtenAtWallMs: snapshot.writtenAtWallMs,
    agentVersion,
    feeds: snapshot.feeds.map(({ feed, resourceVersion, complete, records }) => {
      return { feed, resourceVersion, complete, count: records.count, sizeBytes: records.sizeBytes };
    }),
  };
  const headerBytes = new TextEncoder().encode(JSON.stringify(header));
  const preamble = new Uint8Array(PREAMBLE_BYTES);
  preamble.set(MAGIC);
  const view = new DataView(preamble.buffer);
  view.setUint16(8, FORMAT_VERSION);
  view.setUint16(10, MINIMUM_READER_VERSION);
  view.setUint32(12, headerBytes.length);
  const chunks = [preamble, headerBytes];
  for (const { records } of snapshot.feeds) chunks.push(uint32(records.sizeBytes), records.toBytes());
  return [...chunks, digest(chunks)];
}

/**
 * The batches of the result are views of `bytes`, which must not change afterwards. Throws on nothing.
 *
 * @param agentVersion  Ours. What this very version wrote, and the digest vouches for, is taken as it is; records of another version are
 *   checked one by one, which costs a tenth of a restart.
 */
export function decodeSnapshot(
  bytes: Uint8Array<ArrayBuffer>,
  digest: Digest,
  agentVersion: string,
): DecodedSnapshot {
  if (bytes.length < PREAMBLE_BYTES + DIGEST_BYTES) return damaged(`it has only ${bytes.length} bytes`);
  if (MAGIC.some((octet, index) => bytes[index] !== octet)) return damaged("it does not begin with HOLDFAST");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint16(8);
  const minimumReader = view.getUint16(10);
  // Before the digest: a later format may end differently.
  if (version > FORMAT_VERSION && minimumReader > FORMAT_VERSION) {
    return {
      outcome: "newer",
      reason: `its format ${version} needs a reader of format ${minimumReader}; this version reads format ${FORMAT_VERSION}`,
    };
  }
  const end = bytes.length - DIGEST_BYTES;
  if (!isSame(digest([bytes.subarray(0, end)]), bytes.subarray(end)))
    return damaged("its SHA-256 does not match");
  try {
    return { outcome: "snapshot", snapshot: decodeContent(bytes, end, view.getUint32(12), agentVersion) };
  } catch (error) {
    // Only a bug in the writer gets here: the digest matched. It must not become a crash of the reader.
    return damaged(error instanceof Error ? error.message : String(error));
  }
}

/** @throws RangeError if a length points outside or a record is damaged, SyntaxError or TypeError for the header. */
function decodeContent(
  bytes: Uint8Array<ArrayBuffer>,
  end: number,
  headerLength: number,
  agentVersion: string,
): Snapshot {
  let at = PREAMBLE_BYTES + headerLength;
  if (at > end) throw new RangeError("its header is longer than the file");
  const header = readHeader(new TextDecoder().decode(bytes.subarray(PREAMBLE_BYTES, at)));
  const feeds: SnapshotFeed[] = [];
  for (const { feed, resourceVersion, complete, count, sizeBytes } of header.feeds) {
    const start = at + SECTION_PREFIX_BYTES;
    at = start + sizeBytes;
    if (at > end) throw new RangeError(`feed ${feed} is longer than the file`);
    // A feed that a later version added: its objects mean nothing here.
    if (!isFeed(feed)) continue;
    const section = bytes.subarray(start, at);
    const records =
      header.agentVersion === agentVersion
        ? RecordBatch.fromTrustedBytes(section, count)
        : RecordBatch.fromBytes(section);
    if (records.count !== count)
      throw new RangeError(`feed ${feed} has ${records.count} records, not ${count}`);
    feeds.push({ feed, resourceVersion, complete, records });
  }
  if (at !== end) throw new RangeError(`${end - at} bytes follow the last feed`);
  return { identity: header.identity, writtenAtWallMs: header.writtenAtWallMs, feeds };
}

function isFeed(name: string): name is SnapshotFeed["feed"] {
  return (FEEDS as readonly string[]).includes(name);
}

function damaged(reason: string): DecodedSnapshot {
  return { outcome: "damaged", reason };
}

function uint32(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SECTION_PREFIX_BYTES);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((octet, index) => octet === right[index]);
}
