import type { Feed } from "../../../../src/model/feed.ts";
import type { RecordBatch } from "../../../../src/model/record-batch.ts";
import type { ModelRecord } from "../../../../src/model/records.ts";
import type { FactSink, FeedStatus, ListOrigin, Verdict } from "../../../../src/sources/source.ts";

/** A sink that keeps what it is told, as the model would, and every status and rejection. */
export class StateSink implements FactSink {
  readonly statuses: string[] = [];
  readonly rejections: string[] = [];
  readonly origins: ListOrigin[] = [];
  readonly resourceVersions = new Map<Feed, string>();
  /** Verdicts for the next lists; accepted when there is none. */
  readonly verdicts: Verdict[] = [];
  readonly #records = new Map<Feed, Map<string, ModelRecord>>();
  replaces = 0;
  /** Called after each upsert. */
  onUpsert: (() => void) | undefined;

  replace(feed: Feed, batch: RecordBatch, origin: ListOrigin): Verdict {
    this.replaces++;
    this.origins.push(origin);
    const verdict = this.verdicts.shift() ?? { outcome: "accepted" };
    if (verdict.outcome === "held") return verdict;
    const records = new Map<string, ModelRecord>();
    for (const record of batch.records()) records.set(keyOf(record), record);
    this.#records.set(feed, records);
    this.resourceVersions.set(feed, origin.resourceVersion);
    return verdict;
  }

  upsert(feed: Feed, record: ModelRecord, resourceVersion: string): void {
    this.#of(feed).set(keyOf(record), record);
    this.resourceVersions.set(feed, resourceVersion);
    this.onUpsert?.();
  }

  remove(feed: Feed, namespace: string, name: string, resourceVersion: string): void {
    this.#of(feed).delete(`${namespace}/${name}`);
    this.resourceVersions.set(feed, resourceVersion);
  }

  bookmark(feed: Feed, resourceVersion: string): void {
    this.resourceVersions.set(feed, resourceVersion);
  }

  status(feed: Feed, status: FeedStatus): void {
    this.statuses.push(
      status.phase === "down" ? `${feed} down: ${status.reason}` : `${feed} ${status.phase}`,
    );
  }

  rejected(_feed: Feed, where: string, reason: string): void {
    this.rejections.push(`${where}: ${reason}`);
  }

  /** What the feed holds, sorted: `namespace/name`. */
  keys(feed: Feed): string[] {
    return [...this.#of(feed).keys()].sort();
  }

  /** Of a Service, by `namespace/name`; undefined where there is no such Service. */
  clusterIPs(key: string): readonly string[] | undefined {
    const record = this.#of("services").get(key);
    return record?.kind === "Service" ? record.clusterIPs : undefined;
  }

  #of(feed: Feed): Map<string, ModelRecord> {
    let records = this.#records.get(feed);
    if (records === undefined) this.#records.set(feed, (records = new Map()));
    return records;
  }
}

function keyOf(record: ModelRecord): string {
  return record.kind === "Namespace" ? `/${record.name}` : `${record.namespace}/${record.name}`;
}
