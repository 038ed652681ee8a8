import { ByteReader, damaged } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import type {
  EndpointRecord,
  EndpointSliceRecord,
  Kind,
  ModelRecord,
  PortRecord,
  ServiceRecord,
} from "./records.ts";
import { KINDS } from "./records.ts";

/**
 * Records as octets. Equal records give equal octets, so "did it change" is a comparison of memory. 10,000 EndpointSlices of
 * 15 endpoints take 3 MB this way and 40 MB as objects.
 *
 *     kind(1)  namespace  name                                       Namespace: namespace is empty
 *     kind(1)  namespace  name  type(1)  clusterIPs  externalName  ports
 *     kind(1)  namespace  name  serviceName  addressType(1)  ports  endpoints
 *
 *     string: varint octets, UTF-8     list: varint count, items     clusterIP: 4 or 16, then as many octets
 *     port: name, protocol(1), varint port
 *     endpoint: varint (addresses << 2 | hasHostname << 1 | ready), addresses of the slice's family, hostname if any
 *
 * The layout is what snapshots hold: a change needs a new format version there.
 */
const SERVICE_TYPES = [
  "ClusterIP",
  "Headless",
  "ExternalName",
] as const satisfies readonly ServiceRecord["type"][];
const ADDRESS_TYPES = ["IPv4", "IPv6"] as const satisfies readonly EndpointSliceRecord["addressType"][];
const PROTOCOLS = ["TCP", "UDP", "SCTP"] as const satisfies readonly PortRecord["protocol"][];

const READY_BIT = 1;
const HOSTNAME_BIT = 2;
const ADDRESS_COUNT_SHIFT = 2;
/** Smallest sizes, against counts that promise more items than there are octets. */
const MIN_CLUSTER_IP_BYTES = 5;
const MIN_PORT_BYTES = 3;

/**
 * Appends one record.
 * @throws RangeError if an address is not of the family its place needs, or a port is not an integer from 0 to 65535.
 */
export function packRecord(record: ModelRecord, writer: ByteWriter): void {
  writer.byte(KINDS.indexOf(record.kind));
  switch (record.kind) {
    case "Namespace":
      packKey("", record.name, writer);
      return;
    case "Service":
      packKey(record.namespace, record.name, writer);
      packService(record, writer);
      return;
    case "EndpointSlice":
      packKey(record.namespace, record.name, writer);
      packEndpointSlice(record, writer);
  }
}

/** What identifies a record within its kind; follows the kind's octet in every record. */
export function packKey(namespace: string, name: string, writer: ByteWriter): void {
  writer.string(namespace);
  writer.string(name);
}

/**
 * The record in `bytes[at..end)`.
 * @throws RangeError if the octets are not exactly one record.
 */
export function unpackRecord(bytes: Uint8Array, at: number, end: number): ModelRecord {
  const reader = new ByteReader(bytes, at, end);
  const kind = reader.choice(KINDS);
  const namespace = reader.string();
  const name = reader.string();
  const record = unpackBody(kind, namespace, name, reader);
  if (reader.at !== end) throw damaged(reader.at);
  return record;
}

/**
 * Proves that `unpackRecord` will succeed, without making the record: a restart checks 20,000 of them.
 * @throws RangeError if the octets are not exactly one record.
 */
export function checkRecord(bytes: Uint8Array, at: number, end: number): void {
  const reader = new ByteReader(bytes, at, end);
  const kind = reader.choice(KINDS);
  const namespaceBytes = reader.skipString();
  reader.skipString();
  if (kind === "Namespace" && namespaceBytes !== 0) throw damaged(at + 1);
  if (kind === "Service") checkService(reader);
  if (kind === "EndpointSlice") checkEndpointSlice(reader);
  if (reader.at !== end) throw damaged(reader.at);
}

/** The kind of the record at `at`; the octets are trusted. */
export function kindAt(bytes: Uint8Array, at: number): Kind {
  return KINDS[bytes[at]];
}

/** Namespace and name of the record in `bytes[at..end)`. */
export function keyOf(bytes: Uint8Array, at: number, end: number): ObjectKey {
  const reader = new ByteReader(bytes, at + 1, end);
  return { namespace: reader.string(), name: reader.string() };
}

/** Namespace and name of the Service to which the EndpointSlice in `bytes[at..end)` belongs. */
export function serviceKeyOf(bytes: Uint8Array, at: number, end: number): ObjectKey {
  const reader = new ByteReader(bytes, at + 1, end);
  const namespace = reader.string();
  reader.skipString();
  return { namespace, name: reader.string() };
}

export interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}

/** Octet after the packed string at `at`; the octets are trusted. */
export function stringEnd(bytes: Uint8Array, at: number): number {
  let position = at;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const octet = bytes[position++];
    length |= (octet & 0x7f) << shift;
    if (octet <= 0x7f) return position + length;
  }
}

function unpackBody(kind: Kind, namespace: string, name: string, reader: ByteReader): ModelRecord {
  if (kind === "Namespace") {
    if (namespace !== "") throw damaged(reader.at);
    return { kind, name };
  }
  if (kind === "Service") {
    const type = reader.choice(SERVICE_TYPES);
    const clusterIPs = unpackList(reader, MIN_CLUSTER_IP_BYTES, unpackClusterIP);
    const externalName = reader.string();
    return { kind, namespace, name, type, clusterIPs, externalName, ports: unpackPorts(reader) };
  }
  const serviceName = reader.string();
  const addressType = reader.choice(ADDRESS_TYPES);
  const ports = unpackPorts(reader);
  const octets = octetsOf(addressType);
  const endpoints = unpackList(reader, 1, () => unpackEndpoint(reader, octets));
  return { kind, namespace, name, serviceName, addressType, ports, endpoints };
}

function packService(service: ServiceRecord, writer: ByteWriter): void {
  writer.byte(SERVICE_TYPES.indexOf(service.type));
  writer.varint(service.clusterIPs.length);
  for (const clusterIP of service.clusterIPs) {
    const octets = clusterIP.includes(":") ? 16 : 4;
    writer.byte(octets);
    writer.address(clusterIP, octets);
  }
  writer.string(service.externalName);
  packPorts(service.ports, writer);
}

function checkService(reader: ByteReader): void {
  reader.choice(SERVICE_TYPES);
  for (let left = reader.count(MIN_CLUSTER_IP_BYTES); left > 0; left--) reader.skip(clusterIPOctets(reader));
  reader.skipString();
  checkPorts(reader);
}

function packEndpointSlice(slice: EndpointSliceRecord, writer: ByteWriter): void {
  writer.string(slice.serviceName);
  writer.byte(ADDRESS_TYPES.indexOf(slice.addressType));
  packPorts(slice.ports, writer);
  const octets = octetsOf(slice.addressType);
  writer.varint(slice.endpoints.length);
  for (const { addresses, hostname, ready } of slice.endpoints) {
    const flags = (ready ? READY_BIT : 0) | (hostname === "" ? 0 : HOSTNAME_BIT);
    writer.varint((addresses.length << ADDRESS_COUNT_SHIFT) | flags);
    for (const address of addresses) writer.address(address, octets);
    if (hostname !== "") writer.string(hostname);
  }
}

function checkEndpointSlice(reader: ByteReader): void {
  reader.skipString();
  const octets = octetsOf(reader.choice(ADDRESS_TYPES));
  checkPorts(reader);
  for (let left = reader.count(1); left > 0; left--) {
    const flags = reader.varint();
    reader.skip((flags >>> ADDRESS_COUNT_SHIFT) * octets);
    if ((flags & HOSTNAME_BIT) !== 0 && reader.skipString() === 0) throw damaged(reader.at);
  }
}

function unpackEndpoint(reader: ByteReader, octets: 4 | 16): EndpointRecord {
  const flags = reader.varint();
  const addressCount = flags >>> ADDRESS_COUNT_SHIFT;
  if (addressCount * octets > reader.end - reader.at) throw damaged(reader.at);
  const addresses: string[] = [];
  for (let index = 0; index < addressCount; index++) addresses.push(reader.address(octets));
  const hostname = (flags & HOSTNAME_BIT) === 0 ? "" : reader.string();
  if ((flags & HOSTNAME_BIT) !== 0 && hostname === "") throw damaged(reader.at);
  return { addresses, hostname, ready: (flags & READY_BIT) !== 0 };
}

function packPorts(ports: readonly PortRecord[], writer: ByteWriter): void {
  writer.varint(ports.length);
  for (const { name, protocol, port } of ports) {
    if (!Number.isInteger(port) || port < 0 || port > 0xffff) {
      throw new RangeError(`Cannot pack a port: current value is ${port}`);
    }
    writer.string(name);
    writer.byte(PROTOCOLS.indexOf(protocol));
    writer.varint(port);
  }
}

function unpackPorts(reader: ByteReader): PortRecord[] {
  return unpackList(reader, MIN_PORT_BYTES, () => {
    const name = reader.string();
    return { name, protocol: reader.choice(PROTOCOLS), port: portNumber(reader) };
  });
}

function checkPorts(reader: ByteReader): void {
  for (let left = reader.count(MIN_PORT_BYTES); left > 0; left--) {
    reader.skipString();
    reader.choice(PROTOCOLS);
    portNumber(reader);
  }
}

function portNumber(reader: ByteReader): number {
  const port = reader.varint();
  if (port > 0xffff) throw damaged(reader.at);
  return port;
}

function unpackClusterIP(reader: ByteReader): string {
  return reader.address(clusterIPOctets(reader));
}

function clusterIPOctets(reader: ByteReader): 4 | 16 {
  const octets = reader.byte();
  if (octets !== 4 && octets !== 16) throw damaged(reader.at - 1);
  return octets;
}

function unpackList<Item>(
  reader: ByteReader,
  minimumBytes: number,
  unpack: (reader: ByteReader) => Item,
): Item[] {
  const items: Item[] = [];
  for (let left = reader.count(minimumBytes); left > 0; left--) items.push(unpack(reader));
  return items;
}

function octetsOf(addressType: EndpointSliceRecord["addressType"]): 4 | 16 {
  return addressType === "IPv4" ? 4 : 16;
}
