import { Buffer } from "node:buffer";
import type { Representation, StoredObject } from "./stored-object.ts";
import { typeFields } from "./stored-object.ts";
import type { ApiResource } from "./resources.ts";

export type EventType = "ADDED" | "MODIFIED" | "DELETED";

/** Decides whether a watcher sees an object (its label and field selectors). */
export type Matches = (object: StoredObject) => boolean;

/** One change of a collection. `before` is missing for a creation, `after` for a deletion. */
export class ChangeEvent {
  readonly revision: number;
  readonly before: StoredObject | undefined;
  readonly after: StoredObject | undefined;
  readonly #lines = new Map<string, Buffer>();

  constructor(revision: number, before: StoredObject | undefined, after: StoredObject | undefined) {
    this.revision = revision;
    this.before = before;
    this.after = after;
  }

  /**
   * What a watcher with this selector is told: an object that starts to match is ADDED, one that stops is DELETED (with
   * its last matching state), whatever happened to the object itself.
   *
   * @returns One line of the watch response, or undefined. The bytes are shared by all watchers: do not write to them.
   */
  line(matches: Matches, representation: Representation): Buffer | undefined {
    const before = this.before !== undefined && matches(this.before) ? this.before : undefined;
    const after = this.after !== undefined && matches(this.after) ? this.after : undefined;
    if (after !== undefined)
      return this.#encoded(before === undefined ? "ADDED" : "MODIFIED", after, representation);
    return before === undefined ? undefined : this.#encoded("DELETED", before, representation);
  }

  #encoded(type: EventType, object: StoredObject, representation: Representation): Buffer {
    const key = `${type} ${representation}`;
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = eventLine(type, object.json(representation, this.revision));
      this.#lines.set(key, line);
    }
    return line;
  }
}

/** An object of the initial state of a watch. */
export function addedLine(object: StoredObject, representation: Representation): Buffer {
  return eventLine("ADDED", object.json(representation));
}

const INITIAL_EVENTS_END = `"annotations":{"k8s.io/initial-events-end":"true"},`;

/** Kubernetes API concepts, "Watch bookmarks" and "Streaming lists". */
export function bookmarkLine(
  resource: ApiResource,
  representation: Representation,
  revision: number,
  endsInitialEvents: boolean,
): Buffer {
  const annotations = endsInitialEvents ? INITIAL_EVENTS_END : "";
  const object = `{${typeFields(resource, representation)},"metadata":{${annotations}"resourceVersion":"${revision}","creationTimestamp":null}}`;
  return eventLine("BOOKMARK", [Buffer.from(object)]);
}

/** A failure that is found once the watch is accepted travels in the stream, with HTTP status 200. */
export function errorLine(status: object): Buffer {
  return eventLine("ERROR", [Buffer.from(JSON.stringify(status))]);
}

function eventLine(type: EventType | "BOOKMARK" | "ERROR", object: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), ...object, Buffer.from("}\n")]);
}
