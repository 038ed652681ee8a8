import type { Model } from "../model/model.ts";
import type { ModelChanges } from "../model/model-changes.ts";
import type { ObjectKey } from "../model/packed-record.ts";
import { PackedService } from "../model/packed-service.ts";
import { compileClusterIpService } from "./compile-cluster-ip.ts";
import { compileService } from "./compile-service.ts";
import type { BlockWriter } from "./block-writer.ts";
import { DeltaWriter } from "./delta.ts";

/** Deltas end at about this size: applying one takes a fraction of a millisecond, and packets are answered in between. */
const DELTA_OCTETS = 8 * 1024;

/** Turns what the model knows into deltas for the answer table (`delta.ts`). */
export class Compiler {
  readonly #model: Model;
  readonly #tracksAllEndpoints: boolean;
  readonly #out = new DeltaWriter();
  readonly #packed = new PackedService();
  readonly #hasAllEndpoints: () => boolean;
  /** Headless Services that wait for their endpoints. */
  #withoutEndpoints: ObjectKey[] = [];

  /**
   * @param hasAllEndpoints  Whether every EndpointSlice is known. Until then a headless Service without any is only offered: what the
   *   receiver holds of it, from an earlier sync thread, may be whole, and a Service without endpoints would deny that.
   */
  constructor(model: Model, tracksAllEndpoints: boolean, hasAllEndpoints: () => boolean = () => true) {
    this.#model = model;
    this.#tracksAllEndpoints = tracksAllEndpoints;
    this.#hasAllEndpoints = hasAllEndpoints;
  }

  /** Everything there is. The receiver drops what it held before and is not in it when `END_ALL` comes, which is not sent here. */
  *all(): Generator<Uint8Array<ArrayBuffer>> {
    const model = this.#model;
    this.#out.beginAll();
    this.#out.reserve(model.count("Service"), model.count("Service"));
    // Names and ids now, facts as they are when their turn comes: the model may change while deltas wait to be sent.
    const namespaces = [...model.namespaces()];
    const ids = model.serviceIds();
    for (const name of namespaces) {
      this.#compileNamespace(name);
      yield* this.#fullDelta();
    }
    for (const id of ids) {
      if (model.bindServiceId(id, this.#packed)) this.#compileBound();
      if (this.#out.sizeBytes >= DELTA_OCTETS) yield this.#out.take();
    }
    yield* this.#rest();
  }

  /**
   * What `Model.takeChanges` named.
   * @param finish  Writes what must not overtake these changes; in the same delta as the last of them, since each wakes up both threads.
   */
  *changes(
    changes: ModelChanges,
    finish: (out: DeltaWriter) => void = nothing,
  ): Generator<Uint8Array<ArrayBuffer>> {
    for (const name of changes.namespaces) {
      this.#compileNamespace(name);
      yield* this.#fullDelta();
    }
    for (const { namespace, name } of [...this.#takeWithoutEndpoints(), ...changes.services]) {
      if (this.#model.bindService(namespace, name, this.#packed)) this.#compileBound();
      else this.#out.removeService(namespace, name);
      yield* this.#fullDelta();
    }
    finish(this.#out);
    yield* this.#rest();
  }

  #compileNamespace(name: string): void {
    if (this.#model.hasNamespace(name)) this.#out.putNamespace(name);
    else this.#out.removeNamespace(name);
  }

  #compileBound(): void {
    const packed = this.#packed;
    if (packed.isClusterIp && !this.#tracksAllEndpoints) {
      this.#out.putService((out) => compileClusterIpService(packed, out));
      return;
    }
    const { namespace, name } = packed.key();
    const service = this.#model.service(namespace, name)!;
    const slices = service.type === "ExternalName" ? [] : this.#model.slicesOf(namespace, name);
    const write = (out: BlockWriter) => compileService(service, slices, out);
    if (service.type === "Headless" && slices.length === 0 && !this.#hasAllEndpoints()) {
      this.#withoutEndpoints.push({ namespace, name });
      this.#out.offerService(write);
      return;
    }
    if (!this.#out.putService(write)) {
      this.#out.removeService(namespace, name);
    }
  }

  #takeWithoutEndpoints(): readonly ObjectKey[] {
    if (this.#withoutEndpoints.length === 0 || !this.#hasAllEndpoints()) return [];
    const waiting = this.#withoutEndpoints;
    this.#withoutEndpoints = [];
    return waiting;
  }

  *#fullDelta(): Generator<Uint8Array<ArrayBuffer>> {
    if (this.#out.sizeBytes >= DELTA_OCTETS) yield this.#out.take();
  }

  *#rest(): Generator<Uint8Array<ArrayBuffer>> {
    if (this.#out.sizeBytes > 0) yield this.#out.take();
  }
}

function nothing(): void {}
