import { equalLabels, hashLabels } from "../dns/name.ts";
import { AddressIndex, clusterIpDetail, hashAddress } from "./address-index.ts";
import { BlockSlots } from "./block-slots.ts";
import { type BlockAddress, BlockStore } from "./block-store.ts";
import { KeyIndex } from "./key-index.ts";
import { NamespaceSet } from "./namespace-set.ts";
import { BLOCK_HEADER_OCTETS, ENTRY4_OCTETS, ENTRY6_OCTETS, ServiceReader } from "./service-block.ts";

const NONE = -1;

/**
 * Everything the agent answers from: compiled Services by name, namespaces by name, and Services by address.
 *
 * Changed only by `apply` (`apply-delta.ts`), between two packets; read by `respond` without allocating. Blocks and indexes are typed arrays
 * outside the garbage-collected heap: the collector has nothing to walk, however large the cluster.
 */
export class AnswerTable {
  /** Kinds known whole, as `MASK_*` bits. Once whole, a kind stays whole: losing the source loses freshness, not facts. */
  completeMask = 0;
  /** Kinds in step with the source. */
  freshMask = 0;
  /** Serial of the SOA of every zone. */
  serial = 0;
  /** EXTRA-TEXT of the staleness codes (RFC 8914): how old the state is. Set by the agent while the state is not fresh. */
  staleText: Uint8Array = new Uint8Array(0);

  readonly namespaces = new NamespaceSet();
  readonly #store = new BlockStore();
  readonly #slots = new BlockSlots();
  readonly #names = new KeyIndex();
  readonly #addresses = new AddressIndex();
  /** For changes only; queries bring their own reader. */
  readonly #reader = new ServiceReader();
  #endpointCount = 0;

  get serviceCount(): number {
    return this.#slots.count;
  }

  /** Addresses of ready endpoints. */
  get endpointCount(): number {
    return this.#endpointCount;
  }

  /** Memory of the compiled blocks. */
  get sizeBytes(): number {
    return this.#store.sizeBytes;
  }

  /**
   * @param from  Offset of the Service's label; `to` is the offset behind the namespace's label.
   * @returns A handle for `bind`, or a negative number.
   */
  findService(bytes: Uint8Array, from: number, to: number): number {
    return this.#find(hashLabels(bytes, from, to, 0), bytes, from, to - from);
  }

  /** Points `reader` at a Service's block. */
  bind(handle: number, reader: ServiceReader): void {
    const address = this.#slots.address(handle);
    reader.bind(this.#store.bytesAt(address), this.#store.offsetOf(address));
  }

  /** The index from addresses to Services: see `AddressIndex`; compare with `hasAddress`. */
  pointers(hash: number): KeyIndex {
    return this.#addresses.shard(hash);
  }

  reserve(services: number, addresses: number): void {
    this.#slots.reserve(services);
    this.#names.reserve(services);
    this.#addresses.reserve(addresses);
  }

  /** Puts the block in `bytes[at..at+octets)`, in the place of the one with the same key. */
  putService(bytes: Uint8Array, at: number, octets: number, epoch: number): void {
    const keyAt = at + BLOCK_HEADER_OCTETS;
    const keyOctets = bytes[at + 1];
    const hash = hashLabels(bytes, keyAt, keyAt + keyOctets, 0);
    let handle = this.#find(hash, bytes, keyAt, keyOctets);
    if (handle === NONE) {
      handle = this.#slots.add(hash);
      this.#names.add(hash, handle, 0);
      this.namespaces.addService(bytes, keyAt + bytes[keyAt] + 1);
    } else if (this.#holds(handle, bytes, at, octets)) {
      this.#slots.stamp(handle, epoch);
      return;
    } else {
      this.#dropBlock(handle);
    }
    this.#slots.place(handle, this.#store.write(bytes, at, octets), octets);
    this.#slots.stamp(handle, epoch);
    this.#indexAddresses(handle, true);
  }

  /** Whether a block with the key of the one at `bytes[at]` is held. */
  hasService(bytes: Uint8Array, at: number): boolean {
    const keyAt = at + BLOCK_HEADER_OCTETS;
    const keyOctets = bytes[at + 1];
    return this.#find(hashLabels(bytes, keyAt, keyAt + keyOctets, 0), bytes, keyAt, keyOctets) !== NONE;
  }

  removeService(bytes: Uint8Array, keyAt: number, keyOctets: number): void {
    const handle = this.#find(hashLabels(bytes, keyAt, keyAt + keyOctets, 0), bytes, keyAt, keyOctets);
    if (handle !== NONE) this.#remove(handle);
  }

  /** Removes what was not put in `epoch`. */
  sweep(epoch: number): void {
    for (let handle = 0; handle < this.#slots.end; handle++) {
      if (this.#slots.isUsed(handle) && this.#slots.epoch(handle) !== epoch) this.#remove(handle);
    }
    this.namespaces.sweep(epoch);
  }

  #find(hash: number, bytes: Uint8Array, keyAt: number, keyOctets: number): number {
    const names = this.#names;
    for (let slot = names.first(hash); slot >= 0; slot = names.next(slot, hash)) {
      const handle = names.handleAt(slot);
      const address = this.#slots.address(handle);
      const block = this.#store.bytesAt(address);
      const base = this.#store.offsetOf(address);
      if (
        block[base + 1] === keyOctets &&
        equalLabels(block, base + BLOCK_HEADER_OCTETS, bytes, keyAt, keyOctets)
      ) {
        return handle;
      }
    }
    return NONE;
  }

  #holds(handle: number, bytes: Uint8Array, at: number, octets: number): boolean {
    if (this.#slots.octets(handle) !== octets) return false;
    const address = this.#slots.address(handle);
    const block = this.#store.bytesAt(address);
    const base = this.#store.offsetOf(address);
    for (let index = 0; index < octets; index++) {
      if (block[base + index] !== bytes[at + index]) return false;
    }
    return true;
  }

  #remove(handle: number): void {
    this.bind(handle, this.#reader);
    const { bytes, keyAt } = this.#reader;
    this.namespaces.removeService(bytes, keyAt + bytes[keyAt] + 1);
    this.#names.remove(this.#slots.hash(handle), handle, 0);
    this.#dropBlock(handle);
    this.#slots.remove(handle);
  }

  #dropBlock(handle: number): void {
    this.#indexAddresses(handle, false);
    const address = this.#slots.address(handle);
    const octets = this.#slots.octets(handle);
    this.#slots.place(handle, address, 0);
    if (this.#store.free(address, octets)) this.#evacuate(address);
  }

  /** Moves the few live blocks of a sparse page, which the store then uses again. */
  #evacuate(sparse: BlockAddress): void {
    for (let handle = 0; handle < this.#slots.end; handle++) {
      const octets = this.#slots.octets(handle);
      const address = this.#slots.address(handle);
      if (octets === 0 || !this.#store.isInSamePage(address, sparse)) continue;
      const moved = this.#store.write(this.#store.bytesAt(address), this.#store.offsetOf(address), octets);
      this.#slots.place(handle, moved, octets);
      this.#store.free(address, octets);
    }
  }

  #indexAddresses(handle: number, isAdded: boolean): void {
    const reader = this.#reader;
    this.bind(handle, reader);
    for (let index = 0; index < reader.clusterIp4Count; index++) {
      this.#indexAddress(reader.clusterIp4At + index * 4, 4, handle, clusterIpDetail(index), isAdded);
    }
    for (let index = 0; index < reader.clusterIp6Count; index++) {
      this.#indexAddress(reader.clusterIp6At + index * 16, 16, handle, clusterIpDetail(index), isAdded);
    }
    for (let index = 0; index < reader.entry4Count; index++) {
      this.#indexAddress(reader.entries4At + index * ENTRY4_OCTETS, 4, handle, index, isAdded);
    }
    for (let index = 0; index < reader.entry6Count; index++) {
      this.#indexAddress(reader.entries6At + index * ENTRY6_OCTETS, 16, handle, index, isAdded);
    }
    const endpoints = reader.entry4Count + reader.entry6Count;
    this.#endpointCount += isAdded ? endpoints : -endpoints;
  }

  #indexAddress(at: number, octets: number, handle: number, detail: number, isAdded: boolean): void {
    const hash = hashAddress(this.#reader.bytes, at, octets);
    const shard = this.#addresses.shard(hash);
    if (isAdded) shard.add(hash, handle, detail);
    else shard.remove(hash, handle, detail);
  }
}
