import type { Kind } from "../model/records.ts";

/** A resource that the list/watch server serves, cluster-wide. */
export interface ApiResource {
  readonly path: string;
  readonly kind: Kind;
  readonly apiVersion: string;
}

/** Exactly what name resolution needs, and what an agent's RBAC rules name. */
export const RESOURCES: readonly ApiResource[] = [
  { path: "/api/v1/namespaces", kind: "Namespace", apiVersion: "v1" },
  { path: "/api/v1/services", kind: "Service", apiVersion: "v1" },
  {
    path: "/apis/discovery.k8s.io/v1/endpointslices",
    kind: "EndpointSlice",
    apiVersion: "discovery.k8s.io/v1",
  },
];
