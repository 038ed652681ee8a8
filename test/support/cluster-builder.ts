/** Kubernetes objects in few words, for tables of cases: what the API server would send, nothing of ours. */

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A Namespace, Service or EndpointSlice as it travels in JSON. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: "Namespace" | "Service" | "EndpointSlice";
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

export function namespace(name: string): KubernetesObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

export interface ServiceFields {
  /** `spec.clusterIPs`; `None` makes it headless. */
  readonly ips?: readonly string[];
  /** `http/TCP/80`; without a name `/TCP/80`. */
  readonly ports?: readonly string[];
  readonly type?: "ClusterIP" | "NodePort" | "LoadBalancer";
}

/** @param path  `namespace/name`. */
export function service(
  path: string,
  { ips = [], ports = [], type = "ClusterIP" }: ServiceFields,
): KubernetesObject {
  const spec = { type, clusterIP: ips[0] ?? "", clusterIPs: ips, ports: ports.map(readPort) };
  return { apiVersion: "v1", kind: "Service", metadata: metadataOf(path), spec };
}

export function headless(path: string, ports: readonly string[] = []): KubernetesObject {
  return service(path, { ips: ["None"], ports });
}

export function externalName(path: string, target: string): KubernetesObject {
  const spec = { type: "ExternalName", externalName: target };
  return { apiVersion: "v1", kind: "Service", metadata: metadataOf(path), spec };
}

export interface SliceFields {
  /** As in `ServiceFields`; without a number, `/TCP/`, all ports are meant. */
  readonly ports?: readonly string[];
  readonly endpoints: readonly EndpointFields[];
  /** By default the family of the first address. */
  readonly addressType?: "IPv4" | "IPv6" | "FQDN";
  /** Tells the slices of one Service apart. */
  readonly suffix?: string;
  /** The name of the slice itself, where it matters: one that moves to another Service keeps it. */
  readonly name?: string;
}

export interface EndpointFields {
  readonly addresses: readonly string[];
  readonly hostname?: string;
  /** `conditions.ready`; null and left out mean ready. */
  readonly ready?: boolean | null;
}

/** An EndpointSlice of the Service `namespace/name`. */
export function slice(path: string, fields: SliceFields): KubernetesObject {
  const { name, namespace } = metadataOf(path);
  const { ports = [], endpoints, suffix = "1" } = fields;
  const addressType = fields.addressType ?? (endpoints[0]?.addresses[0]?.includes(":") ? "IPv6" : "IPv4");
  const labels = { "kubernetes.io/service-name": name };
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: fields.name ?? `${name}-${suffix}`, namespace, labels },
    addressType,
    ports: ports.map(readPort),
    endpoints: endpoints.map(({ addresses, hostname, ready }) => ({
      addresses,
      ...(hostname === undefined ? {} : { hostname }),
      conditions: ready === undefined ? {} : { ready },
    })),
  };
}

/** Ready endpoints without hostname, one for each address. */
export function endpoints(...addresses: readonly string[]): EndpointFields[] {
  return addresses.map((address) => ({ addresses: [address] }));
}

/** A ready endpoint with a hostname, as a pod of a StatefulSet has it. */
export function host(hostname: string, ...addresses: readonly string[]): EndpointFields {
  return { addresses, hostname };
}

function metadataOf(path: string): { name: string; namespace: string } {
  const [namespace, name] = path.split("/");
  return { name, namespace };
}

function readPort(text: string): Record<string, unknown> {
  const [name, protocol, port] = text.split("/");
  return {
    ...(name === "" ? {} : { name }),
    protocol,
    ...(port === "" ? {} : { port: Number(port) }),
  };
}
