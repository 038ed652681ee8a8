import type { ServerResponse } from "node:http";
import type { Clock, Timer } from "../base/clock.ts";
import type { ApiResource } from "./resources.ts";
import type { Representation } from "./stored-object.ts";
import type { ChangeEvent, Matches } from "./watch-event.ts";
import { bookmarkLine } from "./watch-event.ts";

/** As the API server does ("Watch bookmarks"): without them a quiet watch could not resume after a while. */
const BOOKMARK_INTERVAL_MS = 60_000;
/** How long a dropped watcher may take to read what it was already sent. */
const DROPPED_GRACE_MS = 5_000;

export interface WatchView {
  readonly resource: ApiResource;
  readonly representation: Representation;
  readonly matches: Matches;
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
  /** Bytes of events that may wait for a slow reader before it is dropped. */
  readonly maxQueuedBytes: number;
  /** The revision that a bookmark written now stands for. */
  readonly currentRevision: () => number;
  /** Called once: no change is wanted any more. */
  readonly onEnd: () => void;
}

/**
 * One watch response: first the backlog (initial or missed events), then changes as they come, until the timeout.
 *
 * The backlog is an iterator, encoded as fast as the client reads; changes wait behind it. Only these count against the
 * limit: a client may take its time for a large initial state, but one that cannot keep up with the changes is dropped,
 * and resumes from the last resourceVersion it saw.
 */
export class WatchStream {
  readonly #response: ServerResponse;
  readonly #view: WatchView;
  readonly #clock: Clock;
  readonly #backlog: Iterator<Uint8Array, void>;
  #hasBacklog = true;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #isBlocked = false;
  #isEnded = false;
  #bookmarkTimer: Timer | undefined;
  #timeoutTimer: Timer | undefined;
  #graceTimer: Timer | undefined;

  constructor(response: ServerResponse, view: WatchView, backlog: Iterator<Uint8Array, void>, clock: Clock) {
    this.#response = response;
    this.#view = view;
    this.#backlog = backlog;
    this.#clock = clock;
  }

  /** Sends the headers at once: a quiet watch is an open one. */
  start(): void {
    this.#response.on("drain", () => {
      this.#isBlocked = false;
      this.#pump();
    });
    this.#response.on("close", () => {
      this.#markEnded();
      this.#graceTimer?.cancel();
    });
    this.#response.writeHead(200, {
      "content-type": "application/json",
      "cache-control": "no-cache, private",
    });
    this.#response.flushHeaders();
    this.#timeoutTimer = this.#clock.setTimer(this.#view.timeoutMs, () => {
      this.#bookmark();
      this.end();
    });
    this.#planBookmark();
    this.#pump();
  }

  change(event: ChangeEvent): void {
    const line = event.line(this.#view.matches, this.#view.representation);
    if (line !== undefined) this.#enqueue(line);
  }

  /** Ends the response in order: the client resumes from what it got. Idempotent. */
  end(): void {
    if (this.#isEnded) return;
    this.#markEnded();
    for (const line of this.#queue) this.#response.write(line);
    this.#queue = [];
    this.#response.end();
    // A client that reads nothing would keep the connection, and its buffers, for ever.
    this.#graceTimer = this.#clock.setTimer(DROPPED_GRACE_MS, () => this.#response.destroy());
  }

  #markEnded(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#bookmarkTimer?.cancel();
    this.#timeoutTimer?.cancel();
    this.#view.onEnd();
  }

  #enqueue(line: Uint8Array): void {
    if (this.#isEnded) return;
    this.#queue.push(line);
    this.#queuedBytes += line.length;
    this.#pump();
    if (this.#queuedBytes > this.#view.maxQueuedBytes) this.#drop();
  }

  #drop(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.end();
  }

  #pump(): void {
    while (!this.#isBlocked && !this.#isEnded) {
      const line = this.#next();
      if (line === undefined) return;
      this.#isBlocked = !this.#response.write(line);
    }
  }

  #next(): Uint8Array | undefined {
    if (this.#hasBacklog) {
      const { value } = this.#backlog.next();
      if (value !== undefined) return value;
      this.#hasBacklog = false;
    }
    const line = this.#queue.shift();
    if (line !== undefined) this.#queuedBytes -= line.length;
    return line;
  }

  #planBookmark(): void {
    if (!this.#view.bookmarks) return;
    this.#bookmarkTimer = this.#clock.setTimer(BOOKMARK_INTERVAL_MS, () => {
      this.#bookmark();
      this.#planBookmark();
    });
  }

  /** None while the backlog is written: its revision would promise events that are still to come. */
  #bookmark(): void {
    if (!this.#view.bookmarks || this.#hasBacklog) return;
    const { resource, representation, currentRevision } = this.#view;
    this.#enqueue(bookmarkLine(resource, representation, currentRevision(), false));
  }
}
