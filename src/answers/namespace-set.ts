import { equalLabels, hashLabels } from "../dns/name.ts";
import { KeyIndex } from "./key-index.ts";

const NONE = -1;

interface Entry {
  readonly key: Uint8Array;
  readonly hash: number;
  /** Epoch in which a Namespace object was last put; 0 without one. */
  declaredEpoch: number;
  services: number;
}

/**
 * The namespaces that exist: those with a Namespace object, and those that a Service lives in. (The two arrive on different watches;
 * a Service must not be denied because its Namespace is not here yet.)
 *
 * An object per entry: there are a few thousand at most, and they hardly change.
 */
export class NamespaceSet {
  readonly #entries: (Entry | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #index = new KeyIndex();

  get count(): number {
    return this.#index.count;
  }

  /** @param at  Offset of the namespace's label in a name. */
  has(bytes: Uint8Array, at: number): boolean {
    return this.#find(bytes, at) !== NONE;
  }

  declare(bytes: Uint8Array, at: number, epoch: number): void {
    this.#ensure(bytes, at).declaredEpoch = epoch;
  }

  undeclare(bytes: Uint8Array, at: number): void {
    const handle = this.#find(bytes, at);
    if (handle === NONE) return;
    this.#entries[handle]!.declaredEpoch = 0;
    this.#dropUnused(handle);
  }

  addService(bytes: Uint8Array, at: number): void {
    this.#ensure(bytes, at).services++;
  }

  removeService(bytes: Uint8Array, at: number): void {
    const handle = this.#find(bytes, at);
    if (handle === NONE) return;
    this.#entries[handle]!.services--;
    this.#dropUnused(handle);
  }

  /** Forgets Namespace objects that were not put in `epoch`. */
  sweep(epoch: number): void {
    for (let handle = 0; handle < this.#entries.length; handle++) {
      const entry = this.#entries[handle];
      if (entry === undefined || entry.declaredEpoch === epoch) continue;
      entry.declaredEpoch = 0;
      this.#dropUnused(handle);
    }
  }

  #find(bytes: Uint8Array, at: number): number {
    const octets = bytes[at] + 1;
    const hash = hashLabels(bytes, at, at + octets, 0);
    for (let slot = this.#index.first(hash); slot >= 0; slot = this.#index.next(slot, hash)) {
      const handle = this.#index.handleAt(slot);
      const { key } = this.#entries[handle]!;
      if (key.length === octets && equalLabels(key, 0, bytes, at, octets)) return handle;
    }
    return NONE;
  }

  #ensure(bytes: Uint8Array, at: number): Entry {
    const known = this.#find(bytes, at);
    if (known !== NONE) return this.#entries[known]!;
    const key = bytes.slice(at, at + bytes[at] + 1);
    const entry = { key, hash: hashLabels(key, 0, key.length, 0), declaredEpoch: 0, services: 0 };
    const handle = this.#free.pop() ?? this.#entries.length;
    this.#entries[handle] = entry;
    this.#index.add(entry.hash, handle, 0);
    return entry;
  }

  #dropUnused(handle: number): void {
    const entry = this.#entries[handle]!;
    if (entry.declaredEpoch !== 0 || entry.services > 0) return;
    this.#index.remove(entry.hash, handle, 0);
    this.#entries[handle] = undefined;
    this.#free.push(handle);
  }
}
