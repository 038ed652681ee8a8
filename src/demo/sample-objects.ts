import { createHash } from "node:crypto";
import type { Kind } from "../model/records.ts";
import type { KubernetesObject } from "../relay/stored-object.ts";

/** What the sample cluster is made of, before it becomes objects of the Kubernetes API. */
export interface ServiceSpec {
  readonly namespace: string;
  readonly name: string;
  /** Empty for a headless Service and for ExternalName. */
  readonly clusterIPs: readonly string[];
  readonly ports: readonly PortSpec[];
  /** Set for ExternalName alone. */
  readonly externalName?: string;
}

export interface PortSpec {
  readonly name: string;
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
}

export interface SliceSpec {
  readonly service: ServiceSpec;
  readonly addressType: "IPv4" | "IPv6";
  readonly endpoints: readonly EndpointSpec[];
}

export interface EndpointSpec {
  readonly address: string;
  readonly podName: string;
  /** Pods of a StatefulSet have names of their own. */
  readonly hasHostname: boolean;
  readonly ready: boolean;
}

const CREATED = "2026-01-15T09:00:00Z";

export function namespaceObject(name: string): KubernetesObject {
  return {
    kind: "Namespace",
    metadata: { ...metaOf("Namespace", "", name), labels: { "kubernetes.io/metadata.name": name } },
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  };
}

/** API reference: core/v1 Service, as the API server shows it after defaulting and allocation. */
export function serviceObject(service: ServiceSpec): KubernetesObject {
  const { namespace, name, externalName, ports } = service;
  return {
    kind: "Service",
    metadata: { ...metaOf("Service", namespace, name), labels: { app: name } },
    spec: {
      ...(externalName === undefined ? addressing(service) : { type: "ExternalName", externalName }),
      ...(ports.length > 0 && {
        ports: ports.map(({ name, protocol, port }) => ({ name, protocol, port, targetPort: port })),
      }),
      selector: { app: name },
      sessionAffinity: "None",
    },
    status: { loadBalancer: {} },
  };
}

export function isHeadless(service: ServiceSpec): boolean {
  return service.clusterIPs.length === 0 && service.externalName === undefined;
}

function addressing(service: ServiceSpec): Record<string, unknown> {
  const clusterIPs = isHeadless(service) ? ["None"] : service.clusterIPs;
  const families = clusterIPs.map((address) => (address.includes(":") ? "IPv6" : "IPv4"));
  return {
    type: "ClusterIP",
    clusterIP: clusterIPs[0],
    clusterIPs,
    ipFamilies: families,
    ipFamilyPolicy: families.length > 1 ? "RequireDualStack" : "SingleStack",
  };
}

/** API reference: discovery.k8s.io/v1 EndpointSlice, as the EndpointSlice controller writes it. */
export function sliceObject({ service, addressType, endpoints }: SliceSpec): KubernetesObject {
  const { namespace, name, ports } = service;
  const sliceName = `${name}-${addressType.toLowerCase()}`;
  return {
    kind: "EndpointSlice",
    metadata: {
      ...metaOf("EndpointSlice", namespace, sliceName),
      labels: {
        "kubernetes.io/service-name": name,
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        ...(isHeadless(service) && { "service.kubernetes.io/headless": "" }),
      },
    },
    addressType,
    endpoints: endpoints.map(({ address, podName, hasHostname, ready }) => ({
      addresses: [address],
      conditions: { ready, serving: ready, terminating: false },
      ...(hasHostname && { hostname: podName }),
      targetRef: { kind: "Pod", namespace, name: podName },
    })),
    ports,
  };
}

function metaOf(kind: Kind, namespace: string, name: string) {
  return {
    name,
    ...(namespace !== "" && { namespace }),
    uid: uidOf(`${kind}/${namespace}/${name}`),
    creationTimestamp: CREATED,
  };
}

/** The same in every run: a restarted demo cluster is the same cluster. */
function uidOf(key: string): string {
  const digits = createHash("sha256").update(`holdfast demo ${key}`).digest("hex");
  return [8, 12, 16, 20, 32].map((end, index) => digits.slice([0, 8, 12, 16, 20][index], end)).join("-");
}
