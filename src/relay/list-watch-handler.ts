import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { ApiStatus } from "./api-status.ts";
import { ApiStatusError, expired, tooLargeResourceVersion } from "./api-status.ts";
import { waitUntilFresh } from "./freshness.ts";
import { selectPage, writeList } from "./list-response.ts";
import type { ObjectStore, ResourceCollection } from "./object-store.ts";
import { negotiateRepresentation } from "./representation.ts";
import type { WatchRequest } from "./request-options.ts";
import { isWatchRequest, parseListRequest, parseWatchRequest } from "./request-options.ts";
import { RESOURCES } from "./resources.ts";
import type { Representation, StoredObject } from "./stored-object.ts";
import type { ChangeEvent, Matches } from "./watch-event.ts";
import { addedLine, bookmarkLine, errorLine } from "./watch-event.ts";
import { WatchStream } from "./watch-stream.ts";

export interface ListWatchLimits {
  /** Bytes of changes that may wait for one slow watcher before it is dropped. */
  readonly maxQueuedBytes: number;
}

const DEFAULT_LIMITS: ListWatchLimits = { maxQueuedBytes: 4 * 1024 * 1024 };

/** Without timeoutSeconds, watches end after 30 to 60 minutes, not all at once (`--min-request-timeout`). */
const DEFAULT_WATCH_TIMEOUT_MS = 30 * 60_000;

/**
 * Serves a store in the Kubernetes list/watch protocol: what a reflector needs, read-only, and nothing else.
 *
 * It promises what the API server promises (Kubernetes API concepts): a list is one state; a watch from its
 * resourceVersion reports every later change once and in order, or ends; what is forgotten answers 410.
 */
export class ListWatchHandler {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limits: ListWatchLimits;
  readonly #watches = new Set<WatchStream>();

  constructor(
    store: ObjectStore,
    io: { clock: Clock; random: Random },
    limits: ListWatchLimits = DEFAULT_LIMITS,
  ) {
    this.#store = store;
    this.#clock = io.clock;
    this.#random = io.random;
    this.#limits = limits;
  }

  /** Watches that are open now. */
  get watchCount(): number {
    return this.#watches.size;
  }

  /** Answers one request. Never rejects: what goes wrong becomes a Status object. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A client that leaves in the middle of a response is no fault of ours; 'close' tells who has to know.
    response.on("error", () => {});
    try {
      await this.#serve(request, response);
    } catch (error) {
      sendStatus(response, error instanceof ApiStatusError ? error.status : internalError(error));
    }
  }

  /** Ends all watches in order. */
  endWatches(): void {
    for (const watch of this.#watches) watch.end();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? "/", "http://server");
    const resource = RESOURCES.find(({ path }) => path === url?.pathname);
    if (url === null || resource === undefined) {
      throw new ApiStatusError(404, "NotFound", "the server could not find the requested resource");
    }
    if (request.method !== "GET") {
      response.setHeader("allow", "GET");
      const message = "the server does not allow this method on the requested resource";
      throw new ApiStatusError(405, "MethodNotAllowed", message);
    }
    const collection = this.#store.collection(resource.kind);
    const isWatch = isWatchRequest(url.searchParams);
    const representation = negotiateRepresentation(request.headers.accept, isWatch);
    if (isWatch) await this.#watch(response, collection, representation, parseWatchRequest(url.searchParams));
    else await this.#list(response, collection, representation, url.searchParams);
  }

  async #list(
    response: ServerResponse,
    collection: ResourceCollection,
    representation: Representation,
    query: URLSearchParams,
  ): Promise<void> {
    const request = parseListRequest(query);
    if (request.version.match !== "latest") {
      await waitUntilFresh(this.#store, request.version.revision, this.#clock);
    }
    const page = selectPage(this.#store, collection, request);
    response.writeHead(200, { "content-type": "application/json", "cache-control": "no-cache, private" });
    await writeList(response, collection, page, representation);
  }

  async #watch(
    response: ServerResponse,
    collection: ResourceCollection,
    representation: Representation,
    request: WatchRequest,
  ): Promise<void> {
    let backlog: Iterator<Uint8Array, void>;
    try {
      if (request.initialEvents) await waitUntilFresh(this.#store, request.revision, this.#clock);
      backlog = this.#backlog(collection, representation, request);
    } catch (error) {
      if (!(error instanceof ApiStatusError)) throw error;
      // The request itself was valid: from here on the API server reports failures as events.
      response.writeHead(200, { "content-type": "application/json" });
      response.end(errorLine(error.status));
      return;
    }
    this.#stream(response, collection, representation, request, backlog);
  }

  /** No await between this and the subscription: a change in between would be lost. */
  #backlog(
    collection: ResourceCollection,
    representation: Representation,
    request: WatchRequest,
  ): Iterator<Uint8Array, void> {
    const { matches } = request.selection;
    const { revision } = this.#store;
    if (request.initialEvents) {
      const end = bookmarkLine(collection.resource, representation, revision, true);
      const objects = collection.objects().filter(matches);
      return stateLines(objects, representation, request.endBookmark ? end : undefined);
    }
    if (request.revision === 0) return stateLines([], representation, undefined);
    if (request.revision > revision) throw tooLargeResourceVersion(request.revision, revision);
    const changes = collection.changesSince(request.revision);
    if (changes === undefined) {
      throw expired(`too old resource version: ${request.revision} (${collection.oldestRevision})`);
    }
    return changeLines(changes, matches, representation);
  }

  #stream(
    response: ServerResponse,
    collection: ResourceCollection,
    representation: Representation,
    request: WatchRequest,
    backlog: Iterator<Uint8Array, void>,
  ): void {
    const timeoutMs =
      request.timeoutSeconds > 0
        ? request.timeoutSeconds * 1_000
        : DEFAULT_WATCH_TIMEOUT_MS * (1 + this.#random());
    const view = {
      resource: collection.resource,
      representation,
      matches: request.selection.matches,
      bookmarks: request.bookmarks,
      timeoutMs,
      maxQueuedBytes: this.#limits.maxQueuedBytes,
      currentRevision: () => this.#store.revision,
      onEnd: () => {
        unsubscribe();
        this.#watches.delete(watch);
      },
    };
    const watch = new WatchStream(response, view, backlog, this.#clock);
    const unsubscribe = collection.watch((event) => watch.change(event));
    this.#watches.add(watch);
    watch.start();
  }
}

function* stateLines(
  objects: readonly StoredObject[],
  representation: Representation,
  end: Uint8Array | undefined,
): Generator<Uint8Array, void> {
  for (const object of objects) yield addedLine(object, representation);
  if (end !== undefined) yield end;
}

function* changeLines(
  changes: readonly ChangeEvent[],
  matches: Matches,
  representation: Representation,
): Generator<Uint8Array, void> {
  for (const change of changes) {
    const line = change.line(matches, representation);
    if (line !== undefined) yield line;
  }
}

function internalError(error: unknown): ApiStatus {
  const message = error instanceof Error ? error.message : String(error);
  return new ApiStatusError(500, "InternalError", `Internal error occurred: ${message}`).status;
}

function sendStatus(response: ServerResponse, status: ApiStatus): void {
  if (response.headersSent) {
    // Half a list cannot become a Status any more; a cut connection is what tells the client.
    response.destroy();
    return;
  }
  const retryAfterSeconds = status.details?.retryAfterSeconds;
  if (retryAfterSeconds !== undefined) response.setHeader("retry-after", retryAfterSeconds);
  response.writeHead(status.code, { "content-type": "application/json" });
  response.end(`${JSON.stringify(status)}\n`);
}
