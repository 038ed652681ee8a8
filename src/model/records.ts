/**
 * What is true in the cluster, reduced to what DNS needs: the Kubernetes objects after projection.
 *
 * Records are plain data with canonical values (lower-case names, canonical IP text), so that two equal objects pack to
 * equal bytes. They live briefly: the model keeps them packed (`packed-record.ts`).
 */
export type ModelRecord = NamespaceRecord | ServiceRecord | EndpointSliceRecord;

/** Kinds as the Kubernetes API spells them. */
export type Kind = ModelRecord["kind"];
export const KINDS = ["Namespace", "Service", "EndpointSlice"] as const satisfies readonly Kind[];

/** API reference: core/v1 Namespace. */
export interface NamespaceRecord {
  readonly kind: "Namespace";
  readonly name: string;
}

/** API reference: core/v1 Service. */
export interface ServiceRecord {
  readonly kind: "Service";
  readonly namespace: string;
  readonly name: string;
  /** `ClusterIP` stands for NodePort and LoadBalancer too; `Headless` is `spec.clusterIP: None`. */
  readonly type: "ClusterIP" | "Headless" | "ExternalName";
  /** `spec.clusterIPs` in order; empty for other types and while none is allocated. */
  readonly clusterIPs: readonly string[];
  /** `spec.externalName` as written, without the final dot; empty for other types. */
  readonly externalName: string;
  readonly ports: readonly PortRecord[];
}

/** A port of a Service, or of an EndpointSlice (where `port` is the one the pod listens on). */
export interface PortRecord {
  /** Lower case; empty for an unnamed port. */
  readonly name: string;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  /** 0 to 65535; 0 where an EndpointSlice port leaves it out ("all ports"). */
  readonly port: number;
}

/** API reference: discovery.k8s.io/v1 EndpointSlice. */
export interface EndpointSliceRecord {
  readonly kind: "EndpointSlice";
  readonly namespace: string;
  readonly name: string;
  /** Label `kubernetes.io/service-name`. Slices without it are not records. */
  readonly serviceName: string;
  readonly addressType: "IPv4" | "IPv6";
  readonly ports: readonly PortRecord[];
  readonly endpoints: readonly EndpointRecord[];
}

export interface EndpointRecord {
  /** Canonical text of the slice's family; at least one. */
  readonly addresses: readonly string[];
  /** `endpoints[].hostname`, lower case; empty when not set. */
  readonly hostname: string;
  /** `conditions.ready`, where null means true (Kubernetes DNS specification 1.1.0 section 2.1). */
  readonly ready: boolean;
}

/** Identifies a record: `namespace` is empty for a Namespace. */
export interface RecordRef {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
}
