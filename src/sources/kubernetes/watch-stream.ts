import type { Clock } from "../../base/clock.ts";
import type { ApiCaller, RunningCall } from "./api-caller.ts";
import type { ApiFailure } from "./api-failure.ts";
import { type FeedSpec, feedUrl } from "./feeds.ts";
import { JsonLines } from "./json-lines.ts";
import { parseWatchEvent, type WatchEvent } from "./watch-event.ts";

/** Events that carry news; ERROR and malformed lines end the stream as failures. */
export type StreamEvent = Exclude<WatchEvent, { readonly type: "ERROR" | "malformed" }>;

export interface WatchStreamOptions {
  /** Empty only with initial events: as new as etcd. */
  readonly resourceVersion: string;
  /** Begin with the whole list, as ADDED events (WatchList). */
  readonly sendInitialEvents: boolean;
  /** After which the server ends the watch. */
  readonly timeoutSeconds: number;
  readonly silenceMs: number;
}

export interface WatchStreamHandler {
  onWaiting(reason: string): void;
  onOpen(): void;
  /** In order. What it returns ends the stream, and comes back through `onFailure`. */
  onEvent(event: StreamEvent): string | undefined;
  /** The server ended the watch, as it does every few minutes. */
  onEnd(): void;
  onFailure(failure: ApiFailure): void;
}

/** One watch request of a feed, from its lines to its end. */
export class WatchStream {
  readonly #spec: FeedSpec;
  readonly #options: WatchStreamOptions;
  readonly #clock: Clock;
  readonly #handler: WatchStreamHandler;
  #running: RunningCall | undefined;
  #isAborted = false;
  #errorEvent: ApiFailure | undefined;
  #openedAtMs: number | undefined;
  #events = 0;

  constructor(spec: FeedSpec, options: WatchStreamOptions, clock: Clock, handler: WatchStreamHandler) {
    this.#spec = spec;
    this.#options = options;
    this.#clock = clock;
    this.#handler = handler;
  }

  get isOpen(): boolean {
    return this.#openedAtMs !== undefined;
  }

  get events(): number {
    return this.#events;
  }

  /** Since the response headers; 0 before them. */
  get ageMs(): number {
    return this.#openedAtMs === undefined ? 0 : this.#clock.nowMs() - this.#openedAtMs;
  }

  start(caller: ApiCaller): void {
    const lines = new JsonLines((line) => this.#onLine(line));
    this.#running = caller.call(
      {
        // With initial events it costs the server what a list costs.
        charge: this.#options.sendInitialEvents ? "list" : "request",
        path: this.#path(),
        accept: this.#spec.acceptWatch,
        silenceMs: this.#options.silenceMs,
      },
      {
        onWaiting: (reason) => this.#handler.onWaiting(reason),
        onOpen: () => {
          this.#openedAtMs = this.#clock.nowMs();
          this.#handler.onOpen();
        },
        onData: (chunk) => this.#failureOf(lines.push(chunk)),
        onEnd: () => {
          const failure = this.#failureOf(lines.finish());
          if (failure === undefined) this.#handler.onEnd();
          else this.#handler.onFailure(failure);
        },
        onFailure: (failure) => this.#handler.onFailure(failure),
      },
    );
    if (this.#isAborted) this.#running.abort();
  }

  /** Idempotent; nothing is called afterwards. */
  abort(): void {
    this.#isAborted = true;
    this.#running?.abort();
  }

  /** The list part is over; from now on the silence of a watch applies. */
  setSilenceMs(silenceMs: number): void {
    this.#running?.setSilenceMs(silenceMs);
  }

  #path(): string {
    const { resourceVersion, sendInitialEvents, timeoutSeconds } = this.#options;
    return feedUrl(this.#spec, {
      watch: "1",
      resourceVersion: resourceVersion === "" ? undefined : resourceVersion,
      ...(sendInitialEvents ? { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" } : {}),
      allowWatchBookmarks: "true",
      timeoutSeconds: String(timeoutSeconds),
    });
  }

  #onLine(line: string): string | undefined {
    // A chunk may hold more lines than whoever aborted wanted to see.
    if (this.#isAborted) return "aborted";
    if (line.trim() === "") return undefined;
    const event = parseWatchEvent(line, this.#spec.kind, this.#clock.wallMs());
    if (event.type === "malformed") return event.reason;
    if (event.type === "ERROR") {
      this.#errorEvent = event.failure;
      return event.failure.reason;
    }
    this.#events++;
    return this.#handler.onEvent(event);
  }

  #failureOf(problem: string | undefined): ApiFailure | undefined {
    return problem === undefined ? undefined : (this.#errorEvent ?? { type: "content", reason: problem });
  }
}
