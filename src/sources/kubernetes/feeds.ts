import { type Feed, kindOfFeed } from "../../model/feed.ts";
import type { Kind } from "../../model/records.ts";
import { type Projection, projectEndpointSlice, projectNamespace, projectService } from "./projection.ts";

/** What a reflector needs to know about a feed: where its objects are, and how to read them. */
export interface FeedSpec {
  readonly feed: Feed;
  readonly path: string;
  /** Empty: all objects. */
  readonly labelSelector: string;
  /** `kind` of the objects, as their own documents have it. */
  readonly kind: Kind;
  /** Accept header for a list; a server that cannot leave the rest out sends whole objects, which do as well. */
  readonly acceptList: string;
  /** Accept header for a watch. */
  readonly acceptWatch: string;
  readonly project: (object: unknown) => Projection;
}

const JSON_TYPE = "application/json";
const PATHS = {
  Namespace: "/api/v1/namespaces",
  Service: "/api/v1/services",
  EndpointSlice: "/apis/discovery.k8s.io/v1/endpointslices",
} as const satisfies Record<Kind, string>;

const PROJECTIONS = {
  Namespace: projectNamespace,
  Service: projectService,
  EndpointSlice: projectEndpointSlice,
} as const satisfies Record<Kind, (object: unknown) => Projection>;

/**
 * With `headless`, two watches on EndpointSlices: those that the EndpointSlice controller labels as headless, and those that
 * anything else made. The second is small, and necessary: mirrored slices, hand-made ones and other controllers' need not
 * carry the label.
 */
const SELECTORS: Partial<Record<Feed, string>> = {
  "endpointslices-headless": "service.kubernetes.io/headless",
  "endpointslices-custom":
    "!service.kubernetes.io/headless,endpointslice.kubernetes.io/managed-by notin (endpointslice-controller.k8s.io)",
};

/** The feeds of an agent, in the order in which they start. */
export function feedsFor(endpoints: "headless" | "all"): readonly Feed[] {
  return endpoints === "all"
    ? ["namespaces", "services", "endpointslices"]
    : ["namespaces", "services", "endpointslices-headless", "endpointslices-custom"];
}

export function specOfFeed(feed: Feed): FeedSpec {
  const kind = kindOfFeed(feed);
  return {
    feed,
    kind,
    path: PATHS[kind],
    labelSelector: SELECTORS[feed] ?? "",
    // Only the name of a Namespace matters, and annotations on one can be large.
    acceptList:
      kind === "Namespace" ? `${metadataOnly("PartialObjectMetadataList")},${JSON_TYPE}` : JSON_TYPE,
    acceptWatch: kind === "Namespace" ? `${metadataOnly("PartialObjectMetadata")},${JSON_TYPE}` : JSON_TYPE,
    project: PROJECTIONS[kind],
  };
}

/** Path and query string of a list or watch of a feed. Parameters with an undefined value are left out. */
export function feedUrl(spec: FeedSpec, parameters: Readonly<Record<string, string | undefined>>): string {
  const query: string[] = [];
  if (spec.labelSelector !== "") query.push(`labelSelector=${encodeURIComponent(spec.labelSelector)}`);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.push(`${name}=${encodeURIComponent(value)}`);
  }
  return query.length === 0 ? spec.path : `${spec.path}?${query.join("&")}`;
}

/** Kubernetes API concepts, "Metadata-only fetches". */
function metadataOnly(kind: string): string {
  return `${JSON_TYPE};as=${kind};g=meta.k8s.io;v=v1`;
}
