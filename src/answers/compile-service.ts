import { foldCase, parseName } from "../dns/name.ts";
import { parseIpAddress } from "../model/ip-address.ts";
import type { EndpointSliceRecord, PortRecord, ServiceRecord } from "../model/records.ts";
import type { BlockWriter } from "./block-writer.ts";
import {
  ENTRY_REPEATED,
  MAX_PORT_SETS,
  PROTOCOL_SCTP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  TYPE_CLUSTER_IP,
  TYPE_EXTERNAL_NAME,
  TYPE_HEADLESS,
} from "./service-block.ts";

const PROTOCOLS = { TCP: PROTOCOL_TCP, UDP: PROTOCOL_UDP, SCTP: PROTOCOL_SCTP } as const;
const TYPES = {
  ClusterIP: TYPE_CLUSTER_IP,
  Headless: TYPE_HEADLESS,
  ExternalName: TYPE_EXTERNAL_NAME,
} as const;

/** One address of one ready endpoint. */
interface Entry {
  readonly address: Uint8Array;
  readonly hostname: string;
  readonly portSet: number;
}

/**
 * Writes the block of one Service (`service-block.ts`) behind what `out` holds.
 *
 * @param slices  The Service's EndpointSlices; empty where endpoints are not tracked. The order does not matter.
 * @returns false, with nothing written, when the Service has no name to answer: an externalName that is no domain name
 *   or is an IP address (an alias to an address cannot be expressed, RFC 1035 section 3.3.1).
 */
export function compileService(
  service: ServiceRecord,
  slices: readonly EndpointSliceRecord[],
  out: BlockWriter,
): boolean {
  const target = service.type === "ExternalName" ? externalTarget(service.externalName) : undefined;
  if (service.type === "ExternalName" && target === undefined) return false;

  const portSets = new PortSets(service.type === "ClusterIP" ? service.ports : []);
  const entries = service.type === "ExternalName" ? [] : collectEntries(slices, portSets);
  const key = serviceKey(service.namespace, service.name);
  const clusterIps = service.clusterIPs.map(parseIpAddress).filter((address) => address !== undefined);
  const clusterIps4 = clusterIps.filter((address) => address.length === 4);
  const clusterIps6 = clusterIps.filter((address) => address.length === 16);

  out.begin();
  out.uint8(TYPES[service.type]);
  out.uint8(key.length);
  out.uint8(clusterIps4.length);
  out.uint8(clusterIps6.length);
  // A port of a headless Service exists where a ready endpoint listens on it, and so do the names below `_tcp`.
  out.uint8(service.type === "Headless" ? portSets.namedProtocols(1) : portSets.namedProtocols(0, 1));
  out.uint8(0);
  out.uint16(portSets.count);
  const endpointsOffsetAt = out.uint32(0);
  out.octets(key);
  if (target !== undefined) out.octets(target);
  for (const address of [...clusterIps4, ...clusterIps6]) out.octets(address);
  portSets.write(out);
  if (entries.length > 0) {
    out.patchUint32(endpointsOffsetAt, out.offset);
    writeEndpoints(entries, out);
  }
  return true;
}

/** The labels of a Service and its namespace in wire form, as they follow each other in a query name. */
export function serviceKey(namespace: string, name: string): Uint8Array {
  return asciiLabels(name, namespace);
}

/** The label of a namespace in wire form. */
export function namespaceKey(namespace: string): Uint8Array {
  return asciiLabels(namespace);
}

/** Names of Kubernetes objects are RFC 1123 labels: ASCII, at most 63 octets (checked where objects come in). */
function asciiLabels(...labels: string[]): Uint8Array {
  const key = new Uint8Array(labels.reduce((octets, label) => octets + label.length + 1, 0));
  let at = 0;
  for (const label of labels) {
    key[at++] = label.length;
    for (let index = 0; index < label.length; index++) key[at++] = foldCase(label.charCodeAt(index));
  }
  return key;
}

function externalTarget(externalName: string): Uint8Array | undefined {
  if (parseIpAddress(externalName) !== undefined) return undefined;
  const target = parseName(externalName);
  return target instanceof Uint8Array ? target : undefined;
}

/** The distinct lists of ports in a block; most Services have one, whatever the number of their slices. */
class PortSets {
  readonly #sets: (readonly PortRecord[])[];
  readonly #indexByText = new Map<string, number>();

  constructor(servicePorts: readonly PortRecord[]) {
    this.#sets = [servicePorts];
  }

  get count(): number {
    return this.#sets.length;
  }

  indexOf(ports: readonly PortRecord[]): number {
    const text = ports.map((port) => `${port.name}/${port.protocol}/${port.port}`).join();
    const known = this.#indexByText.get(text);
    if (known !== undefined) return known;
    // Thirty thousand different port lists in one Service is no Service: the last list stands for the rest.
    const index = this.#sets.length > MAX_PORT_SETS ? MAX_PORT_SETS : this.#sets.push(ports) - 1;
    this.#indexByText.set(text, index);
    return index;
  }

  /** One bit per protocol with a port that can be asked for in `sets[from..to)`: it has a name and a number. */
  namedProtocols(from: number, to = this.#sets.length): number {
    let mask = 0;
    for (const port of this.#sets.slice(from, to).flat()) {
      if (port.name !== "" && port.port !== 0) mask |= 1 << PROTOCOLS[port.protocol];
    }
    return mask;
  }

  write(out: BlockWriter): void {
    const offsetsAt = this.#sets.map(() => out.uint32(0));
    for (const [index, ports] of this.#sets.entries()) {
      out.patchUint32(offsetsAt[index], out.offset);
      // 255 named ports: the Kubernetes API allows 100 in a slice.
      out.uint8(Math.min(ports.length, 255));
      for (const port of ports.slice(0, 255)) {
        out.uint16(port.port);
        out.uint8(PROTOCOLS[port.protocol]);
        out.text(port.name);
      }
    }
  }
}

function collectEntries(slices: readonly EndpointSliceRecord[], portSets: PortSets): Entry[] {
  const entries = new Map<string, Entry>();
  for (const slice of slices) {
    if (!slice.endpoints.some((endpoint) => endpoint.ready)) continue;
    const portSet = portSets.indexOf(slice.ports);
    for (const endpoint of slice.endpoints) {
      if (!endpoint.ready) continue;
      for (const text of endpoint.addresses) {
        const address = parseIpAddress(text);
        // A pod that moves between slices is in both for a moment: one entry (RFC 2181 section 5).
        if (address !== undefined) {
          entries.set(`${text}/${endpoint.hostname}/${portSet}`, {
            address,
            hostname: endpoint.hostname,
            portSet,
          });
        }
      }
    }
  }
  return [...entries.values()].sort(compareEntries);
}

/** Without hostname first, then by hostname, address and port set: the order the layout promises. */
function compareEntries(a: Entry, b: Entry): number {
  if (a.hostname !== b.hostname) return a.hostname < b.hostname ? -1 : 1;
  for (let index = 0; index < a.address.length && index < b.address.length; index++) {
    if (a.address[index] !== b.address[index]) return a.address[index] - b.address[index];
  }
  return a.portSet - b.portSet;
}

function writeEndpoints(entries: readonly Entry[], out: BlockWriter): void {
  const families = [4, 16].map((octets) => entries.filter((entry) => entry.address.length === octets));
  const hostnames = [...new Set(entries.map((entry) => entry.hostname))].filter((name) => name !== "").sort();
  for (const family of families) out.uint32(family.length);
  for (const family of families) out.uint32(family.filter((entry) => entry.hostname === "").length);
  const distinctAt = families.map(() => out.uint32(0));
  out.uint32(hostnames.length);
  families.forEach((family, index) => out.patchUint32(distinctAt[index], writeEntries(family, out)));

  const hostOffsetsAt = hostnames.map(() => out.uint32(0));
  const ranges = families.map((family) => hostnameRanges(family, hostnames));
  hostnames.forEach((hostname, index) => {
    out.patchUint32(hostOffsetsAt[index], out.offset);
    for (const range of ranges) {
      const { first, count } = range.get(hostname)!;
      out.uint32(first);
      out.uint32(count);
    }
    out.text(hostname);
  });
}

/** @returns The number of distinct addresses. */
function writeEntries(entries: readonly Entry[], out: BlockWriter): number {
  const seen = new Set<string>();
  for (const { address, portSet } of entries) {
    const text = address.join();
    out.octets(address);
    out.uint16(seen.has(text) ? portSet | ENTRY_REPEATED : portSet);
    seen.add(text);
  }
  return seen.size;
}

/**
 * Where the entries of each hostname stand. One without entries gets the place where they would be, so that the
 * first entries rise with the hostnames and can be searched.
 */
function hostnameRanges(
  entries: readonly Entry[],
  hostnames: readonly string[],
): Map<string, { first: number; count: number }> {
  const ranges = new Map<string, { first: number; count: number }>();
  let at = entries.findIndex((entry) => entry.hostname !== "");
  if (at < 0) at = entries.length;
  for (const hostname of hostnames) {
    const first = at;
    while (at < entries.length && entries[at].hostname === hostname) at++;
    ranges.set(hostname, { first, count: at - first });
  }
  return ranges;
}
