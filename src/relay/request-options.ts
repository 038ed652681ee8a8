import { badRequest, invalidOptions } from "./api-status.ts";
import type { ContinueToken } from "./continue-token.ts";
import { parseContinueToken } from "./continue-token.ts";
import { parseFieldSelector, parseLabelSelector } from "./selectors.ts";
import type { Matches } from "./watch-event.ts";

/** API reference: meta/v1 ListOptions, validated; "Resource versions" in Kubernetes API concepts has the tables. */
export interface ListRequest {
  readonly selection: Selection;
  /** 0: everything at once. */
  readonly limit: number;
  readonly continueFrom: ContinueToken | undefined;
  readonly version: ListVersion;
}

type ListVersion =
  | { readonly match: "latest" }
  | { readonly match: "notOlderThan" | "exact"; readonly revision: number };

export interface WatchRequest {
  readonly selection: Selection;
  /** 0: from the current state. */
  readonly revision: number;
  /** Whether ADDED events for the current state come first. */
  readonly initialEvents: boolean;
  /** Whether a bookmark tells the end of the initial events ("Streaming lists"). */
  readonly endBookmark: boolean;
  readonly bookmarks: boolean;
  /** 0: the server chooses. */
  readonly timeoutSeconds: number;
}

interface Selection {
  readonly matches: Matches;
  /** False when every object matches. */
  readonly isFiltered: boolean;
}

export function isWatchRequest(query: URLSearchParams): boolean {
  return booleanOption(query, "watch") ?? false;
}

/** @throws ApiStatusError 400 or 422. */
export function parseListRequest(query: URLSearchParams): ListRequest {
  const limit = numberOption(query, "limit");
  const token = query.get("continue") ?? "";
  const continueFrom = token === "" ? undefined : parseContinueToken(token);
  const version = parseListVersion(query, limit, continueFrom !== undefined);
  // Any state will do for resourceVersion=0, and the API server ignores the limit then.
  const isAnyState = query.get("resourceVersion") === "0" && continueFrom === undefined;
  return { selection: parseSelection(query), limit: isAnyState ? 0 : limit, continueFrom, version };
}

function parseListVersion(query: URLSearchParams, limit: number, continues: boolean): ListVersion {
  const given = (query.get("resourceVersion") ?? "") !== "";
  const revision = numberOption(query, "resourceVersion");
  const match = query.get("resourceVersionMatch") ?? "";
  if (match !== "" && match !== "Exact" && match !== "NotOlderThan") {
    throw invalidOptions(
      `resourceVersionMatch: Unsupported value: "${match}": supported values: "Exact", "NotOlderThan"`,
    );
  }
  if (continues) {
    if (match !== "") throw invalidOptions("resourceVersionMatch: Forbidden: not allowed with continue");
    if (revision !== 0) throw invalidOptions("resourceVersion: Forbidden: not allowed with continue");
    return { match: "latest" };
  }
  if (match !== "" && !given) {
    throw invalidOptions("resourceVersionMatch: Forbidden: not allowed unless resourceVersion is provided");
  }
  if (match === "Exact" && revision === 0) {
    throw invalidOptions('resourceVersionMatch: Forbidden: "Exact" is not allowed for resourceVersion "0"');
  }
  if (revision === 0) return { match: "latest" };
  // Without a match, a page starts from exactly the given state: the rule of clients older than resourceVersionMatch.
  const isExact = match === "Exact" || (match === "" && limit > 0);
  return { match: isExact ? "exact" : "notOlderThan", revision };
}

/** @throws ApiStatusError 400 or 422. */
export function parseWatchRequest(query: URLSearchParams): WatchRequest {
  const revision = numberOption(query, "resourceVersion");
  const match = query.get("resourceVersionMatch") ?? "";
  const sendInitialEvents = booleanOption(query, "sendInitialEvents");
  const bookmarks = booleanOption(query, "allowWatchBookmarks") ?? false;
  if (sendInitialEvents === undefined && match !== "") {
    throw invalidOptions(
      "resourceVersionMatch: Forbidden: not allowed for watch unless sendInitialEvents is provided",
    );
  }
  if (sendInitialEvents !== undefined && match !== "NotOlderThan") {
    throw invalidOptions("resourceVersionMatch: Forbidden: sendInitialEvents requires it to be NotOlderThan");
  }
  return {
    selection: parseSelection(query),
    revision,
    initialEvents: sendInitialEvents ?? revision === 0,
    endBookmark: sendInitialEvents === true && bookmarks,
    bookmarks,
    timeoutSeconds: numberOption(query, "timeoutSeconds"),
  };
}

function parseSelection(query: URLSearchParams): Selection {
  const labels = query.get("labelSelector") ?? "";
  const fields = query.get("fieldSelector") ?? "";
  const matchesLabels = parseLabelSelector(labels);
  const matchesFields = parseFieldSelector(fields);
  return {
    matches: (object) => matchesLabels(object) && matchesFields(object),
    isFiltered: labels !== "" || fields !== "",
  };
}

function numberOption(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? "";
  if (text === "") return 0;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw badRequest(`${name}: Invalid value: "${text}": must be a non-negative integer`);
  }
  return value;
}

function booleanOption(query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (text === "" || text === "1" || text === "true") return true;
  if (text === "0" || text === "false") return false;
  throw badRequest(`${name}: Invalid value: "${text}": must be true or false`);
}
