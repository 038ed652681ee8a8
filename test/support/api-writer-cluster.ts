/**
 * Clusters of any size, the same for the same numbers: every n-th Service has another shape, so that a large cluster holds all
 * of them in proportions that do not matter to DNS.
 */
import type { ApiWriter, KubernetesObject } from "./api-writer.ts";

export interface ServiceObject extends KubernetesObject {
  readonly kind: "Service";
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly type?: "ClusterIP" | "ExternalName";
    readonly clusterIP?: "None" | (string & {});
    readonly clusterIPs?: readonly string[];
    readonly ipFamilyPolicy?: "SingleStack" | "PreferDualStack";
    readonly externalName?: string;
    readonly ports?: readonly PortObject[];
  };
}

export interface SliceObject extends KubernetesObject {
  readonly kind: "EndpointSlice";
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly addressType: "IPv4" | "IPv6";
  readonly ports: readonly PortObject[];
  readonly endpoints: readonly EndpointObject[];
}

export interface PortObject {
  readonly name?: string;
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
}

export interface EndpointObject {
  readonly addresses: readonly string[];
  readonly hostname?: string;
  readonly conditions: { readonly ready: boolean };
}

export interface ClusterSize {
  readonly namespaces: number;
  /** ClusterIP and ExternalName Services. */
  readonly services: number;
  readonly headless: number;
  readonly endpointsPerHeadless: number;
  /** Also an EndpointSlice for each ClusterIP Service, as the EndpointSlice controller makes them. */
  readonly withServiceSlices: boolean;
}

/** What was stored; Services carry the addresses that the API server allocated. */
export interface Cluster {
  readonly namespaces: readonly string[];
  readonly services: readonly ServiceObject[];
  readonly slices: readonly SliceObject[];
}

/** Recognisable, because a test may run against somebody's cluster. */
const NAMESPACE_PREFIX = "holdfast-test-";
const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
const HEADLESS_LABEL = "service.kubernetes.io/headless";
const MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by";
const MAX_ENDPOINTS_PER_SLICE = 100;
const FIRST_HEADLESS_ADDRESS = 1 << 17;

export async function writeCluster(writer: ApiWriter, size: ClusterSize): Promise<Cluster> {
  const namespaces = Array.from({ length: size.namespaces }, (_, index) => `${NAMESPACE_PREFIX}${index}`);
  await writer.createAll(namespaces.map(namespaceObject));
  const planned = Array.from({ length: size.services }, (_, index) => serviceObject(index, namespaces));
  const services = await writer.createAll(planned);
  const slices = size.withServiceSlices ? await writeServiceSlices(writer, services) : [];
  const headless = await writeHeadless(writer, namespaces, size.headless, size.endpointsPerHeadless);
  return {
    namespaces,
    services: [...services, ...headless.services],
    slices: [...slices, ...headless.slices],
  };
}

/** One slice of three endpoints for each ClusterIP Service, as the EndpointSlice controller would make it. */
export async function writeServiceSlices(
  writer: ApiWriter,
  services: readonly ServiceObject[],
): Promise<SliceObject[]> {
  const selected = services.filter(({ spec }) => spec.type === "ClusterIP" && spec.clusterIP !== "None");
  const slices = selected.map((service, index) => {
    const endpoints = [0, 1, 2].map((position) => endpoint("IPv4", index * 3 + position, true));
    return sliceOf(service, "ipv4", "IPv4", endpoints);
  });
  return writer.createAll(slices);
}

/** Headless Services and their slices; their addresses lie above those of `writeServiceSlices`. */
export async function writeHeadless(
  writer: ApiWriter,
  namespaces: readonly string[],
  count: number,
  endpointsEach: number,
): Promise<{ readonly services: ServiceObject[]; readonly slices: SliceObject[] }> {
  const indices = Array.from({ length: count }, (_, index) => index);
  const services = await writer.createAll(indices.map((index) => headlessObject(index, namespaces)));
  const planned = services.flatMap((service, index) => headlessSlices(service, index, endpointsEach));
  return { services, slices: await writer.createAll(planned) };
}

export function namespaceObject(name: string): KubernetesObject {
  return { kind: "Namespace", apiVersion: "v1", metadata: { name } };
}

/** A ClusterIP Service with one named port. */
export function plainService(namespace: string, name: string): ServiceObject {
  const ports: PortObject[] = [{ name: "http", protocol: "TCP", port: 80 }];
  return { kind: "Service", apiVersion: "v1", metadata: { namespace, name }, spec: { ports } };
}

function serviceObject(index: number, namespaces: readonly string[]): ServiceObject {
  const namespace = namespaces[index % namespaces.length];
  const service = plainService(namespace, `service-${index}`);
  if (index % 40 === 39) return externalService(service, `db-${index}.example.com`);
  if (index % 40 === 19) {
    // Index minus 1 is a ClusterIP Service: the chain ends inside the zone.
    const target = `service-${index - 1}.${namespaces[(index - 1) % namespaces.length]}.svc.cluster.local`;
    return externalService(service, target);
  }
  const ports: PortObject[] = [];
  if (index % 7 === 0) ports.push({ protocol: "TCP", port: 8080 });
  else ports.push({ name: "http", protocol: "TCP", port: 80 });
  if (index % 7 !== 0 && index % 3 === 0) ports.push({ name: "metrics", protocol: "TCP", port: 9090 });
  if (index % 7 !== 0 && index % 11 === 0) ports.push({ name: "dns", protocol: "UDP", port: 53 });
  const ipFamilyPolicy = index % 4 === 0 ? "PreferDualStack" : "SingleStack";
  return { ...service, spec: { ipFamilyPolicy, ports } };
}

function externalService(service: ServiceObject, externalName: string): ServiceObject {
  return { ...service, spec: { type: "ExternalName", externalName } };
}

function headlessObject(index: number, namespaces: readonly string[]): ServiceObject {
  const namespace = namespaces[index % namespaces.length];
  const ports: PortObject[] = [{ name: "peer", protocol: "TCP", port: 7000 }];
  const ipFamilyPolicy = isDualStackHeadless(index) ? "PreferDualStack" : "SingleStack";
  const spec = { clusterIP: "None" as const, ipFamilyPolicy, ports } satisfies ServiceObject["spec"];
  return { ...plainService(namespace, `headless-${index}`), spec };
}

function isDualStackHeadless(index: number): boolean {
  return index % 5 === 0;
}

function headlessSlices(service: ServiceObject, index: number, endpointsEach: number): SliceObject[] {
  const families = isDualStackHeadless(index) ? (["IPv4", "IPv6"] as const) : (["IPv4"] as const);
  return families.flatMap((family) => {
    const endpoints = Array.from({ length: endpointsEach }, (_, position) =>
      headlessEndpoint(index, position, family, FIRST_HEADLESS_ADDRESS + index * endpointsEach + position),
    );
    const slices: SliceObject[] = [];
    for (let from = 0; from < endpoints.length; from += MAX_ENDPOINTS_PER_SLICE) {
      const part = endpoints.slice(from, from + MAX_ENDPOINTS_PER_SLICE);
      slices.push(sliceOf(service, `${family.toLowerCase()}-${from}`, family, part));
    }
    return slices;
  });
}

/** Even ones look like a StatefulSet's pods (with hostnames), odd ones like a Deployment's; every tenth has nobody ready. */
function headlessEndpoint(
  index: number,
  position: number,
  addressType: "IPv4" | "IPv6",
  address: number,
): EndpointObject {
  const isReady = index % 10 !== 9 && position % 4 !== 3;
  const bare = endpoint(addressType, address, isReady);
  return index % 2 === 0 ? { ...bare, hostname: `headless-${index}-${position}` } : bare;
}

/** Pod addresses 10.128.0.0/9 and fd00:10:128::/96, by number. */
function endpoint(addressType: "IPv4" | "IPv6", number: number, ready: boolean): EndpointObject {
  const address =
    addressType === "IPv4"
      ? `10.${128 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`
      : `fd00:10:128::${((number >> 16) + 1).toString(16)}:${(number & 0xffff).toString(16)}`;
  return { addresses: [address], conditions: { ready } };
}

function sliceOf(
  service: ServiceObject,
  suffix: string,
  addressType: "IPv4" | "IPv6",
  endpoints: readonly EndpointObject[],
): SliceObject {
  const { name, namespace } = service.metadata;
  const labels = {
    [SERVICE_NAME_LABEL]: name,
    // As the controller sets them: an agent that watches headless slices only must not see the others.
    [MANAGED_BY_LABEL]: "endpointslice-controller.k8s.io",
    ...(service.spec.clusterIP === "None" && { [HEADLESS_LABEL]: "" }),
  };
  const ports = (service.spec.ports ?? []).map(({ name = "", protocol, port }) => ({
    name,
    protocol,
    port: service.spec.clusterIP === "None" ? port : 8080,
  }));
  return {
    kind: "EndpointSlice",
    apiVersion: "discovery.k8s.io/v1",
    metadata: { name: `${name}-${suffix}`, namespace, labels },
    addressType,
    ports,
    endpoints,
  };
}
