import type { Kind } from "../../model/records.ts";
import { type StatusFailure, statusFailure } from "./api-failure.ts";
import { asFields, show } from "./projection-fields.ts";
import { asResourceVersion } from "./resource-version.ts";

/** One line of a watch (Kubernetes API concepts, "Efficient detection of changes"). */
export type WatchEvent =
  | {
      readonly type: "ADDED" | "MODIFIED" | "DELETED";
      readonly object: unknown;
      readonly resourceVersion: string;
    }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string; readonly endsInitialEvents: boolean }
  | { readonly type: "ERROR"; readonly failure: StatusFailure }
  /** Not an event. The line cannot be skipped, because it may have been one. */
  | { readonly type: "malformed"; readonly reason: string };

const INITIAL_EVENTS_END = "k8s.io/initial-events-end";
const METADATA_KIND = "PartialObjectMetadata";

/** @param kind  Kind of the objects watched; metadata alone is accepted for each. */
export function parseWatchEvent(line: string, kind: Kind, wallMs: number): WatchEvent {
  let document: unknown;
  try {
    document = JSON.parse(line);
  } catch {
    return malformed(
      `a line of ${line.length} characters is not JSON: it begins with ${show(line.slice(0, 24))}`,
    );
  }
  const event = asFields(document);
  const object = asFields(event?.["object"]);
  const type = event?.["type"];
  if (object === undefined) return malformed(`an event has no object: its type is ${show(type)}`);
  if (type === "ERROR") return { type, failure: statusFailure(object, { wallMs }) };
  if (type !== "ADDED" && type !== "MODIFIED" && type !== "DELETED" && type !== "BOOKMARK") {
    return malformed(
      `the type of an event is ${show(type)}; accepted is ADDED, MODIFIED, DELETED, BOOKMARK or ERROR`,
    );
  }
  const objectKind = object["kind"] ?? kind;
  if (objectKind !== kind && objectKind !== METADATA_KIND) {
    return malformed(`an event is about a ${show(objectKind)}; expected is ${kind}`);
  }
  const metadata = asFields(object["metadata"]);
  const resourceVersion = asResourceVersion(metadata?.["resourceVersion"]);
  if (resourceVersion === undefined) {
    return malformed(`metadata.resourceVersion of an event is ${show(metadata?.["resourceVersion"])}`);
  }
  if (type !== "BOOKMARK") return { type, object, resourceVersion };
  const endsInitialEvents = asFields(metadata?.["annotations"])?.[INITIAL_EVENTS_END] === "true";
  return { type, resourceVersion, endsInitialEvents };
}

function malformed(reason: string): WatchEvent {
  return { type: "malformed", reason };
}
