import type { Kind } from "./records.ts";

/**
 * A feed is one complete set of objects that a source keeps in step: one list and the watch that continues it.
 *
 * A kind may need more than one feed: with `endpoints: headless` the EndpointSlices come through a watch on the headless
 * label and a second, small one for slices that other controllers or people made. Each feed has its own resourceVersion, and
 * a complete list of a feed says nothing about the objects of another.
 */
export const FEEDS = [
  "namespaces",
  "services",
  "endpointslices",
  "endpointslices-headless",
  "endpointslices-custom",
] as const;
export type Feed = (typeof FEEDS)[number];

export function kindOfFeed(feed: Feed): Kind {
  if (feed === "namespaces") return "Namespace";
  return feed === "services" ? "Service" : "EndpointSlice";
}

/** DESIGN section 3: what a client may conclude from a kind. */
export type KindState = "never" | "restored" | "syncing" | "live" | "stale";
