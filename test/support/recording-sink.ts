import type { Feed } from "../../src/model/feed.ts";
import type { RecordBatch } from "../../src/model/record-batch.ts";
import type { ModelRecord } from "../../src/model/records.ts";
import type { FactSink, FeedStatus, Verdict } from "../../src/sources/source.ts";

/** A sink that writes down every call, one line each. */
export class RecordingSink implements FactSink {
  readonly calls: string[] = [];

  replace(feed: Feed, batch: RecordBatch): Verdict {
    this.calls.push(`replace ${feed} ${batch.count}`);
    return { outcome: "accepted" };
  }

  upsert(feed: Feed, record: ModelRecord, resourceVersion: string): void {
    this.calls.push(`upsert ${feed} ${record.name} ${resourceVersion}`);
  }

  remove(feed: Feed, namespace: string, name: string, resourceVersion: string): void {
    this.calls.push(`remove ${feed} ${namespace}/${name} ${resourceVersion}`);
  }

  bookmark(feed: Feed, resourceVersion: string): void {
    this.calls.push(`bookmark ${feed} ${resourceVersion}`);
  }

  status(feed: Feed, status: FeedStatus): void {
    this.calls.push(`status ${feed} ${status.phase}${status.phase === "down" ? `: ${status.reason}` : ""}`);
  }

  rejected(feed: Feed, where: string, reason: string): void {
    this.calls.push(`rejected ${feed} ${where}: ${reason}`);
  }
}
