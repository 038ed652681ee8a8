import type { Kind } from "../model/records.ts";
import { KINDS } from "../model/records.ts";
import { BlockWriter } from "./block-writer.ts";
import { namespaceKey, serviceKey } from "./compile-service.ts";

/**
 * Changes for the answer table, as octets: what the sync thread sends and the DNS thread applies between two packets.
 *
 * A delta is a run of operations, each complete in itself: a Service is put whole. Applying deltas in the order they were made gives
 * the same answers as compiling everything from scratch.
 *
 * ```
 * u8 operation, then
 *   PUT_SERVICE       u32 octets, block (service-block.ts)
 *   OFFER_SERVICE     the same; nothing happens where a Service of that name is held
 *   REMOVE_SERVICE    u8 octets, key
 *   PUT_NAMESPACE     u8 octets, key
 *   REMOVE_NAMESPACE  u8 octets, key
 *   KIND_STATE        u8 kind, u8 KIND_COMPLETE | KIND_FRESH
 *   SERIAL            u32 serial of the zones' SOA
 *   RESERVE           u32 Services, u32 addresses that will follow
 *   BEGIN_ALL         what follows until END_ALL is everything there is
 *   END_ALL           what was not put since BEGIN_ALL is gone
 * ```
 */
export const OP_PUT_SERVICE = 1;
export const OP_REMOVE_SERVICE = 2;
export const OP_PUT_NAMESPACE = 3;
export const OP_REMOVE_NAMESPACE = 4;
export const OP_KIND_STATE = 5;
export const OP_SERIAL = 6;
export const OP_RESERVE = 7;
export const OP_BEGIN_ALL = 8;
export const OP_END_ALL = 9;
export const OP_OFFER_SERVICE = 10;

/** Every object of the kind is known, live or from the disk: absence means something (invariant I2). */
export const KIND_COMPLETE = 1;
/** In step with the source now. */
export const KIND_FRESH = 2;

/** One bit per kind, in the masks of the answer table. */
export const MASK_NAMESPACES = 1;
export const MASK_SERVICES = 2;
export const MASK_ENDPOINTS = 4;
export const MASK_ALL = MASK_NAMESPACES | MASK_SERVICES | MASK_ENDPOINTS;

export class DeltaWriter {
  readonly #out = new BlockWriter();

  get sizeBytes(): number {
    return this.#out.length;
  }

  /** @param writeBlock  Writes one block; when it returns false, nothing was written and nothing is put. */
  putService(writeBlock: (out: BlockWriter) => boolean): boolean {
    return this.#service(OP_PUT_SERVICE, writeBlock);
  }

  /** The same for a Service of which not all is known: what is held of it already may be more. */
  offerService(writeBlock: (out: BlockWriter) => boolean): boolean {
    return this.#service(OP_OFFER_SERVICE, writeBlock);
  }

  #service(operation: number, writeBlock: (out: BlockWriter) => boolean): boolean {
    const start = this.#out.length;
    this.#out.uint8(operation);
    const octetsAt = this.#out.uint32(0);
    const isWritten = writeBlock(this.#out);
    if (isWritten) this.#out.patchUint32(octetsAt, this.#out.length - octetsAt - 4);
    else this.#out.truncate(start);
    return isWritten;
  }

  removeService(namespace: string, name: string): void {
    this.#key(OP_REMOVE_SERVICE, serviceKey(namespace, name));
  }

  putNamespace(name: string): void {
    this.#key(OP_PUT_NAMESPACE, namespaceKey(name));
  }

  removeNamespace(name: string): void {
    this.#key(OP_REMOVE_NAMESPACE, namespaceKey(name));
  }

  kindState(kind: Kind, isComplete: boolean, isFresh: boolean): void {
    this.#out.uint8(OP_KIND_STATE);
    this.#out.uint8(KINDS.indexOf(kind));
    this.#out.uint8((isComplete ? KIND_COMPLETE : 0) | (isFresh ? KIND_FRESH : 0));
  }

  /** @param serial  Seconds since 1970 of the change: a number that grows over restarts. */
  serial(serial: number): void {
    this.#out.uint8(OP_SERIAL);
    this.#out.uint32(serial >>> 0);
  }

  reserve(services: number, addresses: number): void {
    this.#out.uint8(OP_RESERVE);
    this.#out.uint32(services);
    this.#out.uint32(addresses);
  }

  beginAll(): void {
    this.#out.uint8(OP_BEGIN_ALL);
  }

  endAll(): void {
    this.#out.uint8(OP_END_ALL);
  }

  /** The delta so far, in a buffer of its own that can be transferred; the writer starts again. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#out.take();
  }

  #key(operation: number, key: Uint8Array): void {
    this.#out.uint8(operation);
    this.#out.uint8(key.length);
    this.#out.octets(key);
  }
}
