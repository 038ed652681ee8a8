import type {
  EndpointSliceRecord,
  ModelRecord,
  NamespaceRecord,
  ServiceRecord,
} from "../../model/records.ts";
import { readEndpoints } from "./projection-endpoints.ts";
import {
  asFields,
  asIpAddress,
  asLabel,
  asList,
  asSubdomain,
  asTargetName,
  LABEL_FORM,
  type Problem,
  readPorts,
  show,
} from "./projection-fields.ts";

/**
 * From API objects to records: what DNS needs, canonical, and nothing else. Pure, and total over every JSON value; unknown
 * fields are ignored, so that a newer API server is no event.
 */
export type Projection<R extends ModelRecord = ModelRecord> =
  /** `problems` are parts that were left out; the rest of the object is used. */
  | { readonly outcome: "record"; readonly record: R; readonly problems: readonly Problem[] }
  /** A valid object that DNS has no use for. If it was a record before, that record is gone. */
  | {
      readonly outcome: "skipped";
      readonly namespace: string;
      readonly name: string;
      readonly reason: string;
    }
  /** Not understood. Whatever was known of the object stays. `where` is `namespace/name` as far as they are known. */
  | { readonly outcome: "rejected"; readonly where: string; readonly reason: string };

/** What every object of the API has: where it is, and its place in the history of changes. */
export interface ObjectIdentity {
  /** Empty for objects without one. */
  readonly namespace: string;
  readonly name: string;
}

const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
const SERVICE_TYPES = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"];
const HEADLESS = "None";
/** A dual-stack Service has two; more are no Service of any Kubernetes known. */
const MAX_CLUSTER_IPS = 16;

/** API reference: core/v1 Namespace; `PartialObjectMetadata` of one is as good. */
export function projectNamespace(object: unknown): Projection<NamespaceRecord> {
  const name = asLabel(asFields(asFields(object)?.["metadata"])?.["name"]);
  if (name === undefined) return rejectedName(object, LABEL_FORM);
  return { outcome: "record", record: { kind: "Namespace", name }, problems: [] };
}

/** API reference: core/v1 Service. */
export function projectService(object: unknown): Projection<ServiceRecord> {
  const fields = asFields(object);
  const metadata = asFields(fields?.["metadata"]);
  const namespace = asLabel(metadata?.["namespace"]);
  const name = asLabel(metadata?.["name"]);
  if (namespace === undefined) return rejectedNamespace(object);
  if (name === undefined) return rejectedName(object, LABEL_FORM);
  const spec = fields?.["spec"] ?? {};
  const specFields = asFields(spec);
  if (specFields === undefined) return rejected(object, `spec is ${show(spec)}; accepted is an object`);
  const address = readServiceAddress(specFields);
  if (typeof address === "string") return rejected(object, address);
  const problems: Problem[] = [];
  const ports = readPorts(specFields["ports"], "spec.ports", 1, problems);
  return { outcome: "record", record: { kind: "Service", namespace, name, ...address, ports }, problems };
}

/** API reference: discovery.k8s.io/v1 EndpointSlice. */
export function projectEndpointSlice(object: unknown): Projection<EndpointSliceRecord> {
  const fields = asFields(object);
  const metadata = asFields(fields?.["metadata"]);
  const namespace = asLabel(metadata?.["namespace"]);
  const name = asSubdomain(metadata?.["name"]);
  if (fields === undefined || namespace === undefined) return rejectedNamespace(object);
  if (name === undefined) return rejectedName(object, "DNS labels with dots between them");

  const label = asFields(metadata?.["labels"])?.[SERVICE_NAME_LABEL] ?? "";
  if (label === "") return { outcome: "skipped", namespace, name, reason: `no label ${SERVICE_NAME_LABEL}` };
  const serviceName = asLabel(label);
  if (serviceName === undefined) {
    return rejected(object, `label ${SERVICE_NAME_LABEL} is ${show(label)}; accepted is ${LABEL_FORM}`);
  }
  const addressType = fields["addressType"];
  if (addressType === "FQDN")
    return { outcome: "skipped", namespace, name, reason: "addressType FQDN is not for DNS" };
  if (addressType !== "IPv4" && addressType !== "IPv6") {
    return rejected(object, `addressType is ${show(addressType)}; accepted is IPv4, IPv6 or FQDN`);
  }
  const problems: Problem[] = [];
  const endpoints = readEndpoints(fields["endpoints"], addressType, problems);
  if (typeof endpoints === "string") return rejected(object, endpoints);
  const ports = readPorts(fields["ports"], "ports", 0, problems);
  const record: EndpointSliceRecord = {
    kind: "EndpointSlice",
    namespace,
    name,
    serviceName,
    addressType,
    ports,
    endpoints,
  };
  return { outcome: "record", record, problems };
}

/**
 * Which object this is, in canonical form, whatever else is wrong with it: enough to delete it.
 * @returns undefined where it has no usable name.
 */
export function identify(object: unknown): ObjectIdentity | undefined {
  const metadata = asFields(asFields(object)?.["metadata"]);
  const name = asSubdomain(metadata?.["name"]);
  const rawNamespace = metadata?.["namespace"] ?? "";
  const namespace = rawNamespace === "" ? "" : asLabel(rawNamespace);
  return name === undefined || namespace === undefined ? undefined : { namespace, name };
}

type ServiceAddress = Pick<ServiceRecord, "type" | "clusterIPs" | "externalName">;

/** A string is the reason why the Service cannot be used. */
function readServiceAddress(spec: Readonly<Record<string, unknown>>): ServiceAddress | string {
  const type = spec["type"] ?? "ClusterIP";
  if (typeof type !== "string" || !SERVICE_TYPES.includes(type)) {
    return `spec.type is ${show(type)}; accepted is ${SERVICE_TYPES.join(", ")}`;
  }
  if (type === "ExternalName") {
    const externalName = asTargetName(spec["externalName"]);
    if (externalName === undefined) {
      return `spec.externalName is ${show(spec["externalName"])}; accepted is a DNS name of at most 253 characters`;
    }
    return { type, clusterIPs: [], externalName };
  }
  return readClusterIPs(spec);
}

function readClusterIPs(spec: Readonly<Record<string, unknown>>): ServiceAddress | string {
  const list = asList(spec["clusterIPs"]);
  if (list === undefined) return `spec.clusterIPs is ${show(spec["clusterIPs"])}; accepted is a list`;
  const isPlural = list.length > 0;
  const values = (isPlural ? list : [spec["clusterIP"] ?? ""]).filter((value) => value !== "");
  if (values[0] === HEADLESS) return { type: "Headless", clusterIPs: [], externalName: "" };
  if (values.length > MAX_CLUSTER_IPS) {
    return `spec.clusterIPs has ${values.length} entries; accepted are at most ${MAX_CLUSTER_IPS}`;
  }
  const clusterIPs: string[] = [];
  for (const value of values) {
    const clusterIP = asIpAddress(value);
    if (clusterIP === undefined) {
      return `spec.${isPlural ? "clusterIPs" : "clusterIP"} is ${show(value)}; accepted is an IP address or ${HEADLESS}`;
    }
    clusterIPs.push(clusterIP);
  }
  return { type: "ClusterIP", clusterIPs, externalName: "" };
}

function rejected(object: unknown, reason: string): Projection<never> {
  return { outcome: "rejected", where: whereIs(object), reason };
}

function rejectedNamespace(object: unknown): Projection<never> {
  if (asFields(object) === undefined)
    return rejected(object, `the object is ${show(object)}; accepted is an object`);
  const value = asFields(asFields(object)?.["metadata"])?.["namespace"];
  return rejected(object, `metadata.namespace is ${show(value)}; accepted is ${LABEL_FORM}`);
}

function rejectedName(object: unknown, accepted: string): Projection<never> {
  if (asFields(object) === undefined)
    return rejected(object, `the object is ${show(object)}; accepted is an object`);
  const value = asFields(asFields(object)?.["metadata"])?.["name"];
  return rejected(object, `metadata.name is ${show(value)}; accepted is ${accepted}`);
}

/** `namespace/name`, from whatever is there. */
function whereIs(object: unknown): string {
  const metadata = asFields(asFields(object)?.["metadata"]);
  const name = metadata?.["name"];
  const namespace = metadata?.["namespace"];
  const shownName = typeof name === "string" && name !== "" ? name.slice(0, 253) : "(no name)";
  return typeof namespace === "string" && namespace !== ""
    ? `${namespace.slice(0, 63)}/${shownName}`
    : shownName;
}
