/** The typed arrays behind the answer table against obvious collections, under churn. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { AddressIndex } from "../../src/answers/address-index.ts";
import { type BlockAddress, BlockStore } from "../../src/answers/block-store.ts";
import { KeyIndex } from "../../src/answers/key-index.ts";
import { seededRandom } from "../support/answer-paths-random.ts";

/** A walk of thousands of steps is one number to fast-check: it prints it, and shrinking says nothing. */
const seeds = fc.noShrink(fc.integer());
const PAGE_OCTETS = 2 ** 18;

interface StoredBlock {
  address: BlockAddress;
  readonly content: Uint8Array;
}

/** Keeps copies of its blocks and moves them out of sparse pages, as the table does. */
class BlockOwner {
  readonly store = new BlockStore();
  readonly blocks: StoredBlock[] = [];
  evacuations = 0;

  write(content: Uint8Array): void {
    this.blocks.push({ address: this.store.write(content, 0, content.length), content });
  }

  free(index: number): void {
    const [{ address, content }] = this.blocks.splice(index, 1);
    if (!this.store.free(address, content.length)) return;
    this.evacuations++;
    for (const block of this.blocks) {
      if (!this.store.isInSamePage(block.address, address)) continue;
      const moved = this.store.write(
        this.store.bytesAt(block.address),
        this.store.offsetOf(block.address),
        block.content.length,
      );
      this.store.free(block.address, block.content.length);
      block.address = moved;
    }
  }

  check(): void {
    for (const { address, content } of this.blocks) {
      const at = this.store.offsetOf(address);
      const stored = this.store.bytesAt(address).subarray(at, at + content.length);
      assert.equal(Buffer.compare(stored, content), 0, `the block at ${address} changed`);
    }
  }

  get liveBytes(): number {
    return this.blocks.reduce((total, { content }) => total + content.length, 0);
  }
}

test("BlockStore keeps every block as it was written, while pages fill, empty and are used again", () => {
  let evacuations = 0;
  fc.assert(
    fc.property(seeds, (seed) => {
      const random = seededRandom(seed);
      const owner = new BlockOwner();
      for (let step = 0; step < 6000; step++) {
        const isGrowing = Math.floor(step / 1500) % 2 === 0;
        if (owner.blocks.length === 0 || random() < (isGrowing ? 0.6 : 0.3)) {
          const isLarge = random() < 0.002;
          const octets = isLarge
            ? PAGE_OCTETS + Math.floor(random() * 1e5)
            : 20 + Math.floor(random() * 9000);
          owner.write(new Uint8Array(octets).fill(Math.floor(random() * 256)));
        } else owner.free(Math.floor(random() * owner.blocks.length));
        if (step % 500 === 0) owner.check();
      }
      owner.check();
      while (owner.blocks.length > 0) owner.free(Math.floor(random() * owner.blocks.length));
      evacuations += owner.evacuations;
    }),
    { numRuns: 6 },
  );
  assert.ok(evacuations > 0, "no page was ever sparse: the walk proves nothing");
});

test("BlockStore takes at most a few times what its blocks need", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const random = seededRandom(seed);
      const owner = new BlockOwner();
      for (let step = 0; step < 3000; step++) owner.write(new Uint8Array(500 + Math.floor(random() * 2000)));
      for (let step = 0; step < 20_000; step++) {
        owner.free(Math.floor(random() * owner.blocks.length));
        owner.write(new Uint8Array(500 + Math.floor(random() * 2000)));
      }
      assert.ok(
        owner.store.sizeBytes < 4.5 * owner.liveBytes,
        `${owner.store.sizeBytes} octets for ${owner.liveBytes}`,
      );
    }),
    { numRuns: 2 },
  );
});

interface IndexEntry {
  readonly hash: number;
  readonly handle: number;
  readonly detail: number;
}

interface Index {
  add(hash: number, handle: number, detail: number): void;
  remove(hash: number, handle: number, detail: number): void;
  readonly count: number;
}

function sharded(index: AddressIndex): Index {
  return {
    add: (hash, handle, detail) => index.shard(hash).add(hash, handle, detail),
    remove: (hash, handle, detail) => index.shard(hash).remove(hash, handle, detail),
    get count() {
      return index.count;
    },
  };
}

function found(index: KeyIndex, hash: number): string[] {
  const entries: string[] = [];
  for (let slot = index.first(hash); slot >= 0; slot = index.next(slot, hash)) {
    entries.push(`${index.handleAt(slot)}/${index.detailAt(slot)}`);
  }
  return entries.sort();
}

/** @param hashes  How many there are: few of them collide, and stand close together. */
function walk(seed: number, hashes: number, index: Index, shardOf: (hash: number) => KeyIndex): void {
  const random = seededRandom(seed);
  const entries: IndexEntry[] = [];
  // Near the top of the 32 bits, so that probing wraps around the end of the table.
  const someHash = (): number => (-1 - Math.floor(random() * hashes)) | 0;
  for (let step = 0; step < 20_000; step++) {
    if (entries.length === 0 || random() < (step < 12_000 ? 0.55 : 0.4)) {
      const entry = {
        hash: someHash(),
        handle: Math.floor(random() * 50),
        detail: Math.floor(random() * 6) - 3,
      };
      entries.push(entry);
      index.add(entry.hash, entry.handle, entry.detail);
    } else {
      const [entry] = entries.splice(Math.floor(random() * entries.length), 1);
      index.remove(entry.hash, entry.handle, entry.detail);
    }
    // One that is not there: nothing happens.
    if (step % 7 === 0) index.remove(someHash(), 99, 0);
    if (step % 97 === 0) assertHolds(entries, someHash(), shardOf);
  }
  assert.equal(index.count, entries.length);
  for (const { hash } of entries) assertHolds(entries, hash, shardOf);
}

function assertHolds(
  entries: readonly IndexEntry[],
  hash: number,
  shardOf: (hash: number) => KeyIndex,
): void {
  const expected = entries
    .filter((entry) => entry.hash === hash)
    .map(({ handle, detail }) => `${handle}/${detail}`)
    .sort();
  assert.deepEqual(found(shardOf(hash), hash), expected);
}

test("KeyIndex finds what a Map would, equal keys and colliding hashes too", () => {
  fc.assert(
    fc.property(seeds, fc.constantFrom(20, 500, 2 ** 31), (seed, hashes) => {
      const index = new KeyIndex();
      walk(seed, hashes, index, () => index);
    }),
    { numRuns: 6 },
  );
});

test("AddressIndex finds what a Map would in all its shards", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const index = new AddressIndex();
      index.reserve(1000);
      walk(seed, 2 ** 32, sharded(index), (hash) => index.shard(hash));
    }),
    { numRuns: 3 },
  );
});
