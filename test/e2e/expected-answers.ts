/**
 * What DNS must say about a cluster, worked out from its objects by the Kubernetes DNS specification 1.1.0 alone: nothing here
 * comes from the product.
 */
import { isIPv4 } from "node:net";
import type { DnsReply, RrType } from "../support/dns-probe-message.ts";
import { forEachConcurrently, type DnsProbe } from "../support/dns-probe.ts";
import type { Cluster, EndpointObject, ServiceObject, SliceObject } from "../support/api-writer-cluster.ts";

const ZONE = "cluster.local";
/** Replies in flight: enough to keep a server busy, few enough that no socket buffer overflows. */
const CONCURRENCY = 32;

export interface Expectation {
  readonly qname: string;
  readonly qtype: RrType;
  readonly rcode: "NOERROR" | "NXDOMAIN";
  /** In the form of `comparableAnswers`. */
  readonly answers: readonly string[];
}

/**
 * Answers as a set that can be compared: order, TTL, and SRV priority and weight (free by section 2.3.2 of the specification) are
 * left out.
 */
export function comparableAnswers(reply: DnsReply): string[] {
  return reply.answers.map((answer) => answer.replace(/ SRV \d+ \d+ /, " SRV ")).sort();
}

export function serviceName({ metadata }: ServiceObject): string {
  return `${metadata.name}.${metadata.namespace}.svc.${ZONE}`;
}

/** Every name that the cluster's objects give, for every type they could have, and one name that never existed for each namespace. */
export function expectedAnswers(cluster: Cluster): Expectation[] {
  const slices = Map.groupBy(cluster.slices, (slice) => {
    return `${slice.metadata.labels["kubernetes.io/service-name"]}.${slice.metadata.namespace}`;
  });
  const services = new Map(cluster.services.map((service) => [serviceName(service), service]));
  const positive = cluster.services.flatMap((service) => {
    const { name, namespace } = service.metadata;
    if (service.spec.type === "ExternalName") return externalAnswers(service, services);
    if (service.spec.clusterIP !== "None") return clusterIpAnswers(service);
    return headlessAnswers(service, slices.get(`${name}.${namespace}`) ?? []);
  });
  const never = cluster.namespaces.flatMap((namespace) => [
    neverExisting(`never-existed.${namespace}`),
    neverExisting(`service-0.no-such-${namespace}`),
  ]);
  return [...positive, ...never];
}

export function neverExisting(serviceAndNamespace: string): Expectation {
  return { qname: `${serviceAndNamespace}.svc.${ZONE}`, qtype: "A", rcode: "NXDOMAIN", answers: [] };
}

/** Section 2.3. */
export function clusterIpAnswers(service: ServiceObject): Expectation[] {
  const name = serviceName(service);
  const addresses = service.spec.clusterIPs ?? [];
  const ports = (service.spec.ports ?? []).filter((port) => port.name !== undefined);
  return [
    ...addressAnswers(name, addresses),
    ...ports.map((port) => {
      const qname = `_${port.name}._${port.protocol.toLowerCase()}.${name}`;
      return found(qname, "SRV", [`${qname} SRV ${port.port} ${name}`]);
    }),
    ...addresses.map((address) => pointer(address, name)),
  ];
}

/** Section 2.4. */
function headlessAnswers(service: ServiceObject, slices: readonly SliceObject[]): Expectation[] {
  const name = serviceName(service);
  const ready = slices.flatMap((slice) =>
    slice.endpoints.filter(({ conditions }) => conditions.ready).map((endpoint) => ({ slice, endpoint })),
  );
  // Section 2.4.1: no ready endpoint at all is NXDOMAIN.
  if (ready.length === 0) return [{ qname: name, qtype: "A", rcode: "NXDOMAIN", answers: [] }];
  const byHost = Map.groupBy(ready, ({ endpoint }) => `${endpointHost(endpoint)}.${name}`);
  const targets = new Map<string, Set<string>>();
  for (const { slice, endpoint } of ready) {
    for (const port of slice.ports) {
      const qname = `_${port.name}._${port.protocol.toLowerCase()}.${name}`;
      const answers = targets.get(qname) ?? new Set();
      targets.set(qname, answers.add(`${qname} SRV ${port.port} ${endpointHost(endpoint)}.${name}`));
    }
  }
  return [
    ...addressAnswers(
      name,
      ready.flatMap(({ endpoint }) => endpoint.addresses),
    ),
    ...[...byHost].flatMap(([host, members]) =>
      addressAnswers(
        host,
        members.flatMap(({ endpoint }) => endpoint.addresses),
      ),
    ),
    ...[...targets].map(([qname, answers]) => found(qname, "SRV", [...answers])),
    ...ready.map(({ endpoint }) => pointer(endpoint.addresses[0], `${endpointHost(endpoint)}.${name}`)),
  ];
}

/** Section 2.5; the records of a target outside the zone are not ours to know. */
function externalAnswers(
  service: ServiceObject,
  services: ReadonlyMap<string, ServiceObject>,
): Expectation[] {
  const name = serviceName(service);
  const target = service.spec.externalName ?? "";
  const alias = `${name} CNAME ${target}`;
  const local = services.get(target);
  const chased = local === undefined ? [] : addressAnswers(target, local.spec.clusterIPs ?? []);
  return [
    found(name, "CNAME", [alias]),
    ...chased.map(({ qtype, answers }) => found(name, qtype, [alias, ...answers])),
  ];
}

function addressAnswers(qname: string, addresses: readonly string[]): Expectation[] {
  const v4 = addresses.filter((address) => isIPv4(address)).map((address) => `${qname} A ${address}`);
  const v6 = addresses.filter((address) => !isIPv4(address)).map((address) => `${qname} AAAA ${address}`);
  return [found(qname, "A", v4), found(qname, "AAAA", v6)];
}

function pointer(address: string, target: string): Expectation {
  const qname = reverseName(address);
  return found(qname, "PTR", [`${qname} PTR ${target}`]);
}

function found(qname: string, qtype: RrType, answers: readonly string[]): Expectation {
  return { qname, qtype, rcode: "NOERROR", answers: [...answers].sort() };
}

/** Section 2.1, with CoreDNS's form for endpoints without a hostname. */
function endpointHost(endpoint: EndpointObject): string {
  return endpoint.hostname ?? endpoint.addresses[0].replaceAll(/[.:]/g, "-");
}

export function reverseName(address: string): string {
  if (isIPv4(address)) return `${address.split(".").reverse().join(".")}.in-addr.arpa`;
  const [head, tail = ""] = address.split("::");
  const missing = 8 - groupsOf(head).length - groupsOf(tail).length;
  const all = [...groupsOf(head), ...Array.from({ length: missing }, () => "0"), ...groupsOf(tail)];
  const nibbles = all.map((group) => group.padStart(4, "0")).join("");
  return `${nibbles.split("").reverse().join(".")}.ip6.arpa`;
}

function groupsOf(part: string): string[] {
  return part === "" ? [] : part.split(":");
}

export interface Verification {
  readonly asked: number;
  /** One line for each name that was answered wrongly or not at all. */
  readonly wrong: readonly string[];
  readonly slowestMs: number;
}

/** Asks for everything and compares. */
export async function verifyAnswers(
  probe: DnsProbe,
  expectations: readonly Expectation[],
): Promise<Verification> {
  const wrong: string[] = [];
  let slowestMs = 0;
  await forEachConcurrently(expectations, CONCURRENCY, async (expected) => {
    try {
      const reply = await probe.query(expected.qname, expected.qtype);
      slowestMs = Math.max(slowestMs, reply.tookMs);
      if (!isExpected(reply, expected)) wrong.push(describeDifference(reply, expected));
    } catch (error) {
      wrong.push(`${expected.qname} ${expected.qtype}: ${String(error)}`);
    }
  });
  return { asked: expectations.length, wrong, slowestMs };
}

export function isExpected(reply: DnsReply, expected: Expectation): boolean {
  return reply.rcode === expected.rcode && comparableAnswers(reply).join() === expected.answers.join();
}

function describeDifference(reply: DnsReply, expected: Expectation): string {
  const got = `${reply.rcode} [${comparableAnswers(reply).join(", ")}]`;
  return `${expected.qname} ${expected.qtype}: ${got}, expected ${expected.rcode} [${expected.answers.join(", ")}]`;
}
