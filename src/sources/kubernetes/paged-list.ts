import type { ApiCaller, RunningCall } from "./api-caller.ts";
import type { ApiFailure } from "./api-failure.ts";
import { type FeedSpec, feedUrl } from "./feeds.ts";
import { JsonItems } from "./json-items.ts";
import { asResourceVersion } from "./resource-version.ts";

/** How fresh a list has to be (Kubernetes API concepts, "Semantics for get and list"). */
export interface ListFreshness {
  /**
   * Empty: as new as etcd. "0": whatever the server has. Any other: at least as new as that, so that a server that lags
   * behind cannot take us back in time.
   */
  readonly resourceVersion: string;
  /** Whether the server may split it. */
  readonly isPaged: boolean;
}

export interface PagedListHandler {
  onWaiting(reason: string): void;
  /** A page is coming. */
  onOpen(): void;
  onItem(object: unknown): void;
  /** All pages are there. */
  onEnd(resourceVersion: string): void;
  onFailure(failure: ApiFailure): void;
}

const PAGE_LIMIT = "500";
/** A million objects: no cluster, but a server that never ends its list. */
const MAX_PAGES = 2000;
const PARTIAL_LIST_KIND = "PartialObjectMetadataList";

/** One list of a feed, page after page, each item handed over as soon as it arrived. */
export class PagedList {
  readonly #spec: FeedSpec;
  readonly #freshness: ListFreshness;
  readonly #caller: ApiCaller;
  readonly #silenceMs: number;
  readonly #handler: PagedListHandler;
  #running: RunningCall | undefined;
  #isAborted = false;
  #resourceVersion = "";
  #pages = 0;

  constructor(
    spec: FeedSpec,
    freshness: ListFreshness,
    io: { caller: ApiCaller; silenceMs: number },
    handler: PagedListHandler,
  ) {
    this.#spec = spec;
    this.#freshness = freshness;
    this.#caller = io.caller;
    this.#silenceMs = io.silenceMs;
    this.#handler = handler;
  }

  start(): void {
    this.#page("");
  }

  /** Idempotent; nothing is called afterwards. */
  abort(): void {
    this.#isAborted = true;
    this.#running?.abort();
  }

  #page(continueToken: string): void {
    this.#pages++;
    const items = new JsonItems({
      onItem: (object) => {
        if (!this.#isAborted) this.#handler.onItem(object);
      },
      onKind: (kind) => this.#checkKind(kind),
    });
    this.#running = this.#caller.call(
      {
        charge: continueToken === "" ? "list" : "request",
        path: feedUrl(this.#spec, continueToken === "" ? this.#firstPage() : nextPage(continueToken)),
        accept: this.#spec.acceptList,
        silenceMs: this.#silenceMs,
      },
      {
        onWaiting: (reason) => this.#handler.onWaiting(reason),
        onOpen: () => this.#handler.onOpen(),
        onData: (chunk) => contentFailure(items.push(chunk)),
        onEnd: () => this.#onPage(items, continueToken),
        onFailure: (failure) => this.#handler.onFailure(failure),
      },
    );
    if (this.#isAborted) this.#running.abort();
  }

  /**
   * No limit with a resourceVersion: servers before 1.34 answer a limited list from etcd instead of their cache, and a
   * fleet that lists then reads etcd page by page (client-go's reflector does the same).
   */
  #firstPage(): Readonly<Record<string, string | undefined>> {
    const { resourceVersion, isPaged } = this.#freshness;
    if (resourceVersion === "") return { limit: isPaged ? PAGE_LIMIT : undefined };
    if (resourceVersion === "0") return { limit: isPaged ? PAGE_LIMIT : undefined, resourceVersion };
    return { resourceVersion, resourceVersionMatch: "NotOlderThan" };
  }

  #checkKind(kind: string): string | undefined {
    const expected = `${this.#spec.kind}List`;
    if (kind === expected || kind === PARTIAL_LIST_KIND) return undefined;
    return `the list's kind is ${JSON.stringify(kind.slice(0, 60))}; expected is ${expected}`;
  }

  #onPage(items: JsonItems, token: string): void {
    const { kind, resourceVersion, continueToken } = items.header;
    const problem = items.finish() ?? this.#checkKind(kind);
    const version = asResourceVersion(resourceVersion);
    if (problem !== undefined) this.#fail(problem);
    else if (version === undefined) this.#fail("the list has no metadata.resourceVersion to watch from");
    else if (continueToken !== "" && (continueToken === token || this.#pages === MAX_PAGES)) {
      this.#fail(`the list does not end: it has more than ${this.#pages} pages`);
    } else {
      // Of the first page: a watch from there misses nothing, whatever the version of later pages is.
      if (token === "") this.#resourceVersion = version;
      if (continueToken === "") this.#handler.onEnd(this.#resourceVersion);
      else this.#page(continueToken);
    }
  }

  #fail(reason: string): void {
    this.#handler.onFailure({ type: "content", reason });
  }
}

/** The token carries the rest: the API server refuses a resourceVersion beside it. */
function nextPage(continueToken: string): Readonly<Record<string, string>> {
  return { limit: PAGE_LIMIT, continue: continueToken };
}

function contentFailure(reason: string | undefined): ApiFailure | undefined {
  return reason === undefined ? undefined : { type: "content", reason };
}
