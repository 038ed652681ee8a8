import type { RecordBatch } from "../../model/record-batch.ts";
import type { FactSink } from "../source.ts";
import type { FeedSpec } from "./feeds.ts";
import { identify, type Projection } from "./projection.ts";

/** From API objects to the sink, one at a time; the only place where a reflector looks inside an object. */
export class FactReporter {
  readonly #spec: FeedSpec;
  readonly #sink: FactSink;

  constructor(spec: FeedSpec, sink: FactSink) {
    this.#spec = spec;
    this.#sink = sink;
  }

  /** An object of a list that is not complete yet. */
  stage(object: unknown, batch: RecordBatch): void {
    const projection = this.#spec.project(object);
    if (projection.outcome === "record") {
      batch.append(projection.record);
      this.#reportProblems(projection);
    } else if (projection.outcome === "rejected") {
      this.#sink.rejected(this.#spec.feed, projection.where, projection.reason);
    }
  }

  /** An object was added or changed. */
  changed(object: unknown, resourceVersion: string): void {
    const { feed } = this.#spec;
    const projection = this.#spec.project(object);
    if (projection.outcome === "record") {
      this.#sink.upsert(feed, projection.record, resourceVersion);
      this.#reportProblems(projection);
    } else if (projection.outcome === "skipped") {
      this.#sink.remove(feed, projection.namespace, projection.name, resourceVersion);
    } else this.#sink.rejected(feed, projection.where, projection.reason);
  }

  deleted(object: unknown, resourceVersion: string): void {
    const identity = identify(object);
    if (identity !== undefined) {
      this.#sink.remove(this.#spec.feed, identity.namespace, identity.name, resourceVersion);
    } else this.#sink.rejected(this.#spec.feed, "(no name)", "an object without a usable name was deleted");
  }

  /** Parts that were left out: `where` then has the field after the object. */
  #reportProblems(projection: Projection & { outcome: "record" }): void {
    const { record, problems } = projection;
    const object = record.kind === "Namespace" ? record.name : `${record.namespace}/${record.name}`;
    for (const { field, reason } of problems)
      this.#sink.rejected(this.#spec.feed, `${object} ${field}`, reason);
  }
}
