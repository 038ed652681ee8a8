import { RecordBatch } from "../../model/record-batch.ts";
import type { FactSink, ListOrigin, Verdict } from "../source.ts";
import type { FactReporter } from "./fact-reporter.ts";
import type { FeedSpec } from "./feeds.ts";

interface Change {
  readonly type: "MODIFIED" | "DELETED";
  readonly object: unknown;
}

/** 100 times the largest cluster that Kubernetes is tested with. */
const MAX_BATCH_BYTES = 256 * 1024 * 1024;
/** Changes to a list while it is streamed. */
const MAX_CHANGES = 10_000;

/** A list that is not complete yet: packed records, aside from what is served, until it is committed as a whole. */
export class StagedList {
  readonly #reporter: FactReporter;
  readonly #batch = new RecordBatch();
  /**
   * What happened to objects after they were streamed: a server sends such events before it marks the end. Kept as objects
   * and in order, because a batch has no removal; a handful at most.
   */
  readonly #changes: Change[] = [];

  constructor(reporter: FactReporter) {
    this.#reporter = reporter;
  }

  get count(): number {
    return this.#batch.count;
  }

  /** @returns Why the list cannot be taken. */
  add(type: "ADDED" | "MODIFIED" | "DELETED", object: unknown): string | undefined {
    if (type === "ADDED" && this.#changes.length === 0) {
      this.#reporter.stage(object, this.#batch);
      return this.#batch.sizeBytes <= MAX_BATCH_BYTES
        ? undefined
        : `the list has more than ${MAX_BATCH_BYTES} bytes of records`;
    }
    this.#changes.push({ type: type === "DELETED" ? type : "MODIFIED", object });
    return this.#changes.length <= MAX_CHANGES
      ? undefined
      : `more than ${MAX_CHANGES} changes came before the list ended`;
  }

  /** Hands the list over; the batch belongs to the sink afterwards. */
  commit(spec: FeedSpec, sink: FactSink, origin: ListOrigin): Verdict {
    const verdict = sink.replace(spec.feed, this.#batch, origin);
    if (verdict.outcome === "accepted") {
      for (const { type, object } of this.#changes) {
        if (type === "DELETED") this.#reporter.deleted(object, origin.resourceVersion);
        else this.#reporter.changed(object, origin.resourceVersion);
      }
    }
    return verdict;
  }
}
