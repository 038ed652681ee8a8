import type { AnswerTable } from "./answer-table.ts";
import {
  KIND_COMPLETE,
  KIND_FRESH,
  OP_BEGIN_ALL,
  OP_END_ALL,
  OP_KIND_STATE,
  OP_OFFER_SERVICE,
  OP_PUT_NAMESPACE,
  OP_PUT_SERVICE,
  OP_REMOVE_NAMESPACE,
  OP_REMOVE_SERVICE,
  OP_RESERVE,
  OP_SERIAL,
} from "./delta.ts";
import { readUint32 } from "./service-block.ts";

const MAX_EPOCH = 255;

/** Applies deltas to one table. Keeps the epoch between `BEGIN_ALL` and `END_ALL`, which may be many deltas apart. */
export class DeltaApplier {
  readonly #table: AnswerTable;
  #epoch = 1;

  constructor(table: AnswerTable) {
    this.#table = table;
  }

  /**
   * @param delta  What a `DeltaWriter` made; not kept.
   * @throws RangeError if it holds an unknown operation: both threads come from one build.
   */
  apply(delta: Uint8Array): void {
    let at = 0;
    while (at < delta.length) at = this.#applyOne(delta, at);
  }

  #applyOne(delta: Uint8Array, at: number): number {
    const table = this.#table;
    const keyOctets = delta[at + 1];
    switch (delta[at]) {
      case OP_PUT_SERVICE: {
        const octets = readUint32(delta, at + 1);
        table.putService(delta, at + 5, octets, this.#epoch);
        return at + 5 + octets;
      }
      case OP_OFFER_SERVICE: {
        const octets = readUint32(delta, at + 1);
        if (!table.hasService(delta, at + 5)) table.putService(delta, at + 5, octets, this.#epoch);
        return at + 5 + octets;
      }
      case OP_REMOVE_SERVICE:
        table.removeService(delta, at + 2, keyOctets);
        return at + 2 + keyOctets;
      case OP_PUT_NAMESPACE:
        table.namespaces.declare(delta, at + 2, this.#epoch);
        return at + 2 + keyOctets;
      case OP_REMOVE_NAMESPACE:
        table.namespaces.undeclare(delta, at + 2);
        return at + 2 + keyOctets;
      case OP_KIND_STATE:
        this.#setKindState(delta[at + 1], delta[at + 2]);
        return at + 3;
      case OP_SERIAL:
        table.serial = Math.max(table.serial, readUint32(delta, at + 1));
        return at + 5;
      case OP_RESERVE:
        table.reserve(readUint32(delta, at + 1), readUint32(delta, at + 5));
        return at + 9;
      case OP_BEGIN_ALL:
        // Never 0, which stands for "no Namespace object".
        this.#epoch = (this.#epoch % MAX_EPOCH) + 1;
        return at + 1;
      case OP_END_ALL:
        table.sweep(this.#epoch);
        return at + 1;
      default:
        throw new RangeError(`Cannot apply a delta at octet ${at}: unknown operation ${delta[at]}`);
    }
  }

  #setKindState(kind: number, flags: number): void {
    const bit = 1 << kind;
    if ((flags & KIND_COMPLETE) !== 0) this.#table.completeMask |= bit;
    if ((flags & KIND_FRESH) !== 0) this.#table.freshMask |= bit;
    else this.#table.freshMask &= ~bit;
  }
}
