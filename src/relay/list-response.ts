import { Buffer } from "node:buffer";
import type { Writable } from "node:stream";
import { expired, tooLargeResourceVersion } from "./api-status.ts";
import { composeContinueToken } from "./continue-token.ts";
import type { ObjectStore, ResourceCollection } from "./object-store.ts";
import type { ListRequest } from "./request-options.ts";
import type { Representation, StoredObject } from "./stored-object.ts";

/** One page of a list: a consistent state, whatever changes while it is written. */
export interface ListPage {
  readonly revision: number;
  readonly items: readonly StoredObject[];
  /** Empty on the last page. */
  readonly continueToken: string;
  /** Undefined where the API server does not count: behind a selector, and on the last page. */
  readonly remainingItemCount: number | undefined;
}

/** @throws ApiStatusError 410 when the state asked for is forgotten, 504 when it has not happened yet. */
export function selectPage(
  store: ObjectStore,
  collection: ResourceCollection,
  request: ListRequest,
): ListPage {
  const { revision, objects } = stateOf(store, collection, request);
  const { afterKey } = request.continueFrom ?? { afterKey: "" };
  const { matches, isFiltered } = request.selection;
  const wanted = objects.filter((object) => object.key > afterKey && matches(object));
  const items = request.limit > 0 ? wanted.slice(0, request.limit) : wanted;
  const last = items.at(-1);
  if (last === undefined || items.length === wanted.length) {
    return { revision, items, continueToken: "", remainingItemCount: undefined };
  }
  return {
    revision,
    items,
    continueToken: composeContinueToken({ revision, afterKey: last.key }),
    remainingItemCount: isFiltered ? undefined : wanted.length - items.length,
  };
}

function stateOf(
  store: ObjectStore,
  collection: ResourceCollection,
  request: ListRequest,
): { revision: number; objects: StoredObject[] } {
  const { continueFrom, version } = request;
  if (continueFrom === undefined && version.match !== "exact") {
    return { revision: store.revision, objects: collection.objects() };
  }
  const revision = continueFrom?.revision ?? (version.match === "exact" ? version.revision : 0);
  if (revision > store.revision) throw tooLargeResourceVersion(revision, store.revision);
  const objects = collection.objectsAt(revision);
  if (objects !== undefined) return { revision, objects };
  throw expired(
    continueFrom === undefined
      ? `The resourceVersion for the provided list is too old: ${revision}`
      : "The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.",
  );
}

/** One write for many small objects, and one chunk of the response. */
const CHUNK_BYTES = 64 * 1024;

/** Writes the list's JSON and ends `out`; waits for slow readers, so that a large list is never twice in memory. */
export async function writeList(
  out: Writable,
  collection: ResourceCollection,
  page: ListPage,
  representation: Representation,
): Promise<void> {
  for (const chunk of chunksOf(listJson(collection, page, representation))) {
    if (out.destroyed) return;
    if (!out.write(chunk)) await drainedOrClosed(out);
  }
  out.end();
}

function drainedOrClosed(out: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      out.off("drain", done);
      out.off("close", done);
      resolve();
    };
    out.on("drain", done);
    out.on("close", done);
  });
}

function* listJson(
  collection: ResourceCollection,
  page: ListPage,
  representation: Representation,
): Iterable<Buffer> {
  const { kind, apiVersion } = collection.resource;
  const metadata = {
    resourceVersion: String(page.revision),
    ...(page.continueToken !== "" && { continue: page.continueToken }),
    ...(page.remainingItemCount !== undefined && { remainingItemCount: page.remainingItemCount }),
  };
  const type =
    representation === "metadata"
      ? { kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1" }
      : { kind: `${kind}List`, apiVersion };
  yield Buffer.from(`${JSON.stringify({ ...type, metadata }).slice(0, -1)},"items":[`);
  for (const [index, item] of page.items.entries()) {
    if (index > 0) yield Buffer.from(",");
    yield* item.itemJson(representation);
  }
  yield Buffer.from("]}\n");
}

function* chunksOf(pieces: Iterable<Buffer>): Iterable<Buffer> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  for (const piece of pieces) {
    pending.push(piece);
    pendingBytes += piece.length;
    if (pendingBytes < CHUNK_BYTES) continue;
    yield Buffer.concat(pending, pendingBytes);
    pending = [];
    pendingBytes = 0;
  }
  if (pendingBytes > 0) yield Buffer.concat(pending, pendingBytes);
}
