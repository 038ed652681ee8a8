import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { decodeSnapshot, DIGEST_BYTES, encodeSnapshot } from "../../../src/snapshot/snapshot-format.ts";
import type { DecodedSnapshot } from "../../../src/snapshot/snapshot-format.ts";
import { numberedSnapshot, plain } from "../../support/snapshots.ts";

function sha256(chunks: readonly Uint8Array[]): Uint8Array {
  return createHash("sha256").update(Buffer.concat(chunks)).digest();
}

function encoded(number = 1): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat(encodeSnapshot(numberedSnapshot(number), "0.1.0", sha256)));
}

function decode(bytes: Uint8Array<ArrayBuffer>): DecodedSnapshot {
  // Another version than the one that wrote: every record is checked.
  return decodeSnapshot(bytes, sha256, "another version");
}

/** The file with other octets in its first part and a digest that fits. */
function resealed(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const content = bytes.subarray(0, bytes.length - DIGEST_BYTES);
  return Uint8Array.of(...content, ...sha256([content]));
}

function withHeader(edit: (header: Record<string, unknown>) => void): Uint8Array<ArrayBuffer> {
  const bytes = encoded();
  const view = new DataView(bytes.buffer);
  const end = 16 + view.getUint32(12);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(16, end))) as Record<string, unknown>;
  edit(header);
  const text = new TextEncoder().encode(JSON.stringify(header));
  const result = Uint8Array.of(...bytes.subarray(0, 16), ...text, ...bytes.subarray(end));
  new DataView(result.buffer).setUint32(12, text.length);
  return resealed(result);
}

test("decoding gives the encoded snapshot", () => {
  const decoded = decode(encoded(7));
  assert.equal(decoded.outcome, "snapshot");
  assert.deepEqual(
    plain((decoded as DecodedSnapshot & { outcome: "snapshot" }).snapshot),
    plain(numberedSnapshot(7)),
  );
});

test("a file cut at any octet is damaged", () => {
  const bytes = encoded();
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(decode(bytes.slice(0, length)).outcome, "damaged", `cut at ${length}`);
  }
});

test("a file with any bit flipped, or with more at its end, is refused", () => {
  const bytes = encoded();
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    assert.notEqual(decode(flipped).outcome, "snapshot", `bit ${bit}`);
  }
  assert.equal(decode(Uint8Array.of(...bytes, 0)).outcome, "damaged");
});

test("a later format is read while it allows that, and refused by number where not", () => {
  const compatible = encoded();
  new DataView(compatible.buffer).setUint16(8, 9);
  assert.equal(decode(resealed(compatible)).outcome, "snapshot");
  const incompatible = encoded();
  new DataView(incompatible.buffer).setUint16(8, 9);
  new DataView(incompatible.buffer).setUint16(10, 8);
  assert.deepEqual(decode(incompatible), {
    outcome: "newer",
    reason: "its format 9 needs a reader of format 8; this version reads format 1",
  });
});

test("header keys of a later version are ignored", () => {
  const bytes = withHeader((header) => {
    header["podCidr"] = "10.0.0.0/8";
    (header["feeds"] as Record<string, unknown>[])[0]["listedAt"] = 5;
  });
  assert.equal(decode(bytes).outcome, "snapshot");
});

test("a feed of a later version is skipped, the others are read", () => {
  const decoded = decode(
    withHeader((header) => {
      (header["feeds"] as Record<string, unknown>[])[0]["feed"] = "nodes";
    }),
  );
  assert.equal(decoded.outcome, "snapshot");
  const { feeds } = (decoded as DecodedSnapshot & { outcome: "snapshot" }).snapshot;
  assert.deepEqual(
    feeds.map(({ feed }) => feed),
    ["services"],
  );
});

const BAD_HEADERS: { name: string; edit: (header: Record<string, unknown>) => void }[] = [
  { name: "no identity", edit: (header) => delete header["identity"] },
  { name: "feeds as a number", edit: (header) => (header["feeds"] = 5) },
  { name: "a feed as null", edit: (header) => (header["feeds"] = [null]) },
  {
    name: "a negative size",
    edit: (header) => ((header["feeds"] as Record<string, unknown>[])[0]["sizeBytes"] = -1),
  },
  {
    name: "a size past the end",
    edit: (header) => ((header["feeds"] as Record<string, unknown>[])[1]["sizeBytes"] = 2 ** 40),
  },
  {
    name: "a wrong count",
    edit: (header) => ((header["feeds"] as Record<string, unknown>[])[1]["count"] = 2),
  },
  { name: "a feed too few", edit: (header) => (header["feeds"] as unknown[]).pop() },
];
for (const { name, edit } of BAD_HEADERS) {
  test(`a header with ${name} under a right digest is damage, not an exception`, () => {
    assert.equal(decode(withHeader(edit)).outcome, "damaged");
  });
}
