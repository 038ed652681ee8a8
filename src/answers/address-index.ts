import { KeyIndex } from "./key-index.ts";

const SHARD_BITS = 6;
const SHARDS = 2 ** SHARD_BITS;

/** ClusterIPs and endpoint entries share one integer: see `AddressIndex`. */
export function clusterIpDetail(index: number): number {
  return -1 - index;
}

/**
 * From an IP address to the Services that have it: as a ClusterIP (detail below zero) or at an endpoint entry (its index). The owner of
 * the blocks compares the addresses.
 *
 * Sharded by the hash's upper bits: an index over 150,000 endpoints takes milliseconds to grow, a shard a sixty-fourth of that, and it
 * happens between two packets.
 */
export class AddressIndex {
  readonly #shards = Array.from({ length: SHARDS }, () => new KeyIndex());

  get count(): number {
    return this.#shards.reduce((total, shard) => total + shard.count, 0);
  }

  shard(hash: number): KeyIndex {
    return this.#shards[hash >>> (32 - SHARD_BITS)];
  }

  reserve(count: number): void {
    // A little more than an even share: hashes are not perfectly even.
    for (const shard of this.#shards) shard.reserve(Math.ceil((count / SHARDS) * 1.2));
  }
}

/** @param octets 4 or 16; the families do not share hashes. */
export function hashAddress(bytes: Uint8Array, at: number, octets: number): number {
  let hash = octets;
  for (let index = 0; index < octets; index++) hash = Math.imul(hash ^ bytes[at + index], 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
