import type { Feed } from "../model/feed.ts";
import { kindOfFeed } from "../model/feed.ts";
import type { Model } from "../model/model.ts";
import type { RecordBatch } from "../model/record-batch.ts";
import type { Kind, ModelRecord } from "../model/records.ts";
import type { FactSink, FeedStatus, ListOrigin, Verdict } from "../sources/source.ts";

const LATEST_REJECTIONS = 20;
const ACCEPTED: Verdict = { outcome: "accepted" };

/** How far a feed has come: what a snapshot keeps of it beside its objects. */
export interface FeedProgress {
  readonly resourceVersion: string;
  readonly isComplete: boolean;
}

export interface ModelSinkEvents {
  /** The model may be different. */
  changed(): void;
  /** Only resourceVersions moved on. */
  progressed(): void;
  /** The feed's objects are all in the model. */
  completed(feed: Feed): void;
  status(feed: Feed, status: FeedStatus): void;
}

/** The end of the chain of sinks: puts facts into the model and remembers how far each feed has come. */
export class ModelSink implements FactSink {
  readonly #model: Model;
  readonly #events: ModelSinkEvents;
  readonly #progress = new Map<Feed, FeedProgress>();
  readonly #rejectedByKind: Record<Kind, number> = { Namespace: 0, Service: 0, EndpointSlice: 0 };
  readonly #latestRejections: { where: string; reason: string }[] = [];

  constructor(model: Model, events: ModelSinkEvents) {
    this.#model = model;
    this.#events = events;
  }

  /** What a snapshot said of a feed. Its objects are in the model already. */
  restore(feed: Feed, progress: FeedProgress): void {
    this.#progress.set(feed, progress);
  }

  /** Objects of the feed may have moved to another feed of its kind: what is left is not a complete set. */
  invalidate(feed: Feed): void {
    this.#progress.set(feed, { resourceVersion: "", isComplete: false });
  }

  progress(feed: Feed): FeedProgress | undefined {
    return this.#progress.get(feed);
  }

  get feeds(): IterableIterator<Feed> {
    return this.#progress.keys();
  }

  get rejectedByKind(): Readonly<Record<Kind, number>> {
    return this.#rejectedByKind;
  }

  get latestRejections(): readonly { readonly where: string; readonly reason: string }[] {
    return this.#latestRejections;
  }

  /** Forgets a feed that is no longer configured, with its objects. */
  drop(feed: Feed): void {
    this.#progress.delete(feed);
    this.#model.dropFeed(feed);
    this.#events.changed();
  }

  replace(feed: Feed, batch: RecordBatch, origin: ListOrigin): Verdict {
    this.#model.replace(feed, batch);
    this.#progress.set(feed, { resourceVersion: origin.resourceVersion, isComplete: true });
    this.#events.changed();
    this.#events.completed(feed);
    return ACCEPTED;
  }

  upsert(feed: Feed, record: ModelRecord, resourceVersion: string): void {
    try {
      this.#model.upsert(feed, record);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.rejected(feed, `${record.kind} ${record.name}`, error.message);
    }
    this.#advance(feed, resourceVersion);
    this.#events.changed();
  }

  remove(feed: Feed, namespace: string, name: string, resourceVersion: string): void {
    this.#model.remove(feed, namespace, name);
    this.#advance(feed, resourceVersion);
    this.#events.changed();
  }

  bookmark(feed: Feed, resourceVersion: string): void {
    this.#advance(feed, resourceVersion);
    this.#events.progressed();
  }

  status(feed: Feed, status: FeedStatus): void {
    this.#events.status(feed, status);
  }

  rejected(feed: Feed, where: string, reason: string): void {
    this.#rejectedByKind[kindOfFeed(feed)]++;
    this.#latestRejections.unshift({ where, reason });
    this.#latestRejections.length = Math.min(this.#latestRejections.length, LATEST_REJECTIONS);
  }

  #advance(feed: Feed, resourceVersion: string): void {
    const isComplete = this.#progress.get(feed)?.isComplete ?? false;
    this.#progress.set(feed, { resourceVersion, isComplete });
  }
}
