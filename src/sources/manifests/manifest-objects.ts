import type { Feed } from "../../model/feed.ts";
import { kindOfFeed } from "../../model/feed.ts";
import type { ModelRecord, RecordRef } from "../../model/records.ts";
import {
  identify,
  projectEndpointSlice,
  projectNamespace,
  projectService,
} from "../kubernetes/projection.ts";
import type { Projection } from "../kubernetes/projection.ts";
import type { FoundObject } from "./manifest-parser.ts";

interface AcceptedKind {
  readonly feed: Feed;
  readonly apiVersion: string;
  readonly isNamespaced: boolean;
  readonly project: (object: unknown) => Projection;
}

const ACCEPTED = new Map<string, AcceptedKind>([
  ["Service", { feed: "services", apiVersion: "v1", isNamespaced: true, project: projectService }],
  [
    "EndpointSlice",
    {
      feed: "endpointslices",
      apiVersion: "discovery.k8s.io/v1",
      isNamespaced: true,
      project: projectEndpointSlice,
    },
  ],
  ["Namespace", { feed: "namespaces", apiVersion: "v1", isNamespaced: false, project: projectNamespace }],
]);

const ACCEPTED_LIST = Array.from(ACCEPTED, ([kind, { apiVersion }]) => `${kind} (${apiVersion})`).join(", ");
/** As kubectl takes an object without one. */
const DEFAULT_NAMESPACE = "default";

export interface Rejection {
  readonly feed: Feed;
  readonly where: string;
  readonly reason: string;
}

/** What one object of a file means. */
export interface ReadObject {
  readonly record: ModelRecord | undefined;
  /** An object that is named but not understood: what is known of it stays. */
  readonly kept: RecordRef | undefined;
  /** It should have been served, but not even its name could be read. */
  readonly isUnidentified: boolean;
  readonly rejections: readonly Rejection[];
}

export function readObject({ where, value }: FoundObject): ReadObject {
  const fields = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const { kind, apiVersion } = fields;
  const accepted = typeof kind === "string" ? ACCEPTED.get(kind) : undefined;
  if (accepted === undefined) {
    const shown = typeof kind === "string" ? `kind ${kind} is not served` : "there is no kind";
    // No feed is meant; the rejection must be counted somewhere.
    return ignored({ feed: "services", where, reason: `${shown}; accepted are ${ACCEPTED_LIST}` });
  }
  if (apiVersion !== accepted.apiVersion) {
    const reason = `${String(kind)} has apiVersion ${String(apiVersion)}; accepted is ${accepted.apiVersion}`;
    return ignored({ feed: accepted.feed, where, reason });
  }
  return project(where, accepted.isNamespaced ? withNamespace(fields) : fields, accepted);
}

function project(
  where: string,
  object: Record<string, unknown>,
  { feed, project }: AcceptedKind,
): ReadObject {
  const projection = project(object);
  const kind = kindOfFeed(feed);
  if (projection.outcome === "rejected") {
    const name = identify(object);
    const reason = `${kind} ${projection.where}: ${projection.reason}`;
    return {
      record: undefined,
      kept: name && { kind, ...name },
      isUnidentified: name === undefined,
      rejections: [{ feed, where, reason }],
    };
  }
  if (projection.outcome === "skipped") {
    const { namespace, name, reason } = projection;
    return ignored({ feed, where, reason: `${kind} ${namespace}/${name}: ${reason}` });
  }
  const { record, problems } = projection;
  const rejections = problems.map(({ reason }) => ({
    feed,
    where,
    reason: `${kind} ${nameOf(record)}: ${reason}`,
  }));
  return { record, kept: undefined, isUnidentified: false, rejections };
}

/** `namespace/name`, or the name of a Namespace. */
export function nameOf(record: RecordRef | ModelRecord): string {
  const namespace = "namespace" in record ? record.namespace : "";
  return namespace === "" ? record.name : `${namespace}/${record.name}`;
}

function ignored(rejection: Rejection): ReadObject {
  return { record: undefined, kept: undefined, isUnidentified: false, rejections: [rejection] };
}

function withNamespace(object: Record<string, unknown>): Record<string, unknown> {
  const metadata = object["metadata"];
  if (typeof metadata !== "object" || metadata === null) return object;
  const { namespace } = metadata as { namespace?: unknown };
  if (namespace !== undefined && namespace !== null && namespace !== "") return object;
  return { ...object, metadata: { ...metadata, namespace: DEFAULT_NAMESPACE } };
}
