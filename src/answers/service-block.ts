/**
 * The compiled form of one Service: everything its names answer, in one run of octets (big-endian).
 *
 * ```
 *  0 u8  type             1 u8 key octets       2 u8 IPv4 ClusterIPs   3 u8 IPv6 ClusterIPs
 *  4 u8  protocol mask    5 u8 0                6 u16 port sets
 *  8 u32 offset of the endpoint section, 0 = none
 * 12 key: the labels of Service and namespace in wire form, lower case ("\3web\4shop")
 *    ClusterIPs, IPv4 then IPv6        (ExternalName: the target's wire name instead, case kept)
 *    port sets; set 0 is the Service's own:
 *      u32 offset of each of: u8 ports, then per port: u16 port, u8 protocol, u8 name octets, name
 *    endpoint section:
 *      u32 IPv4 entries, u32 IPv6 entries, u32 of them without hostname (each), u32 distinct addresses (each), u32 hosts
 *      IPv4 entries: 4 octets address, u16 port set | REPEATED; those without hostname first, by address
 *      IPv6 entries: 16 octets address, u16 port set | REPEATED
 *      hosts, by label: u32 offset of: u32 first IPv4 entry, u32 count, u32 first IPv6 entry, u32 count, u8 octets, label
 * ```
 *
 * Endpoints are stored once, as addresses: their A and AAAA sets, SRV records, dashed names and PTR owners are all derived when asked.
 * That is 6 octets per IPv4 endpoint, where a table of RRsets needs about a hundred.
 */
export const TYPE_CLUSTER_IP = 0;
export const TYPE_HEADLESS = 1;
export const TYPE_EXTERNAL_NAME = 2;

export const PROTOCOL_TCP = 0;
export const PROTOCOL_UDP = 1;
export const PROTOCOL_SCTP = 2;

export const BLOCK_HEADER_OCTETS = 12;
const ENDPOINTS_HEADER_OCTETS = 28;
export const ENTRY4_OCTETS = 6;
export const ENTRY6_OCTETS = 18;
/** First entry and count in each family, in front of a host's label. */
const HOST_RANGES_OCTETS = 16;
/** The entry's address stands at an earlier entry too (another hostname or port set): one address record is enough. */
export const ENTRY_REPEATED = 0x8000;
export const MAX_PORT_SETS = 0x7fff;

export function readUint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

/**
 * Reads a block in place. One reader is made and bound to block after block: nothing is allocated per query. All `...At`
 * fields are offsets into `bytes`, valid until the table changes.
 */
export class ServiceReader {
  bytes: Uint8Array = new Uint8Array(0);
  base = 0;
  type = TYPE_CLUSTER_IP;
  keyOctets = 0;
  clusterIp4Count = 0;
  clusterIp6Count = 0;
  protocolMask = 0;
  clusterIp4At = 0;
  clusterIp6At = 0;
  portSetCount = 0;
  portSetsAt = 0;
  entry4Count = 0;
  entry6Count = 0;
  dashed4Count = 0;
  dashed6Count = 0;
  distinct4Count = 0;
  distinct6Count = 0;
  entries4At = 0;
  entries6At = 0;
  hostCount = 0;
  hostsAt = 0;

  bind(bytes: Uint8Array, base: number): void {
    this.bytes = bytes;
    this.base = base;
    this.type = bytes[base];
    this.keyOctets = bytes[base + 1];
    this.clusterIp4Count = bytes[base + 2];
    this.clusterIp6Count = bytes[base + 3];
    this.protocolMask = bytes[base + 4];
    this.portSetCount = readUint16(bytes, base + 6);
    this.clusterIp4At = base + BLOCK_HEADER_OCTETS + this.keyOctets;
    this.clusterIp6At = this.clusterIp4At + this.clusterIp4Count * 4;
    this.portSetsAt = this.clusterIp6At + this.clusterIp6Count * 16;
    this.#bindEndpoints(readUint32(bytes, base + 8));
  }

  get keyAt(): number {
    return this.base + BLOCK_HEADER_OCTETS;
  }

  /** ExternalName: the target's absolute wire name. */
  get targetAt(): number {
    return this.clusterIp4At;
  }

  #bindEndpoints(offset: number): void {
    if (offset === 0) {
      this.entry4Count = 0;
      this.entry6Count = 0;
      this.dashed4Count = 0;
      this.dashed6Count = 0;
      this.distinct4Count = 0;
      this.distinct6Count = 0;
      this.hostCount = 0;
      return;
    }
    const { bytes } = this;
    const at = this.base + offset;
    this.entry4Count = readUint32(bytes, at);
    this.entry6Count = readUint32(bytes, at + 4);
    this.dashed4Count = readUint32(bytes, at + 8);
    this.dashed6Count = readUint32(bytes, at + 12);
    this.distinct4Count = readUint32(bytes, at + 16);
    this.distinct6Count = readUint32(bytes, at + 20);
    this.hostCount = readUint32(bytes, at + 24);
    this.entries4At = at + ENDPOINTS_HEADER_OCTETS;
    this.entries6At = this.entries4At + this.entry4Count * ENTRY4_OCTETS;
    this.hostsAt = this.entries6At + this.entry6Count * ENTRY6_OCTETS;
  }

  /** Offset of a host's record: see the layout. */
  hostAt(host: number): number {
    return this.base + readUint32(this.bytes, this.hostsAt + host * 4);
  }

  /** Offset of a host's label, its length octet first. */
  hostLabelAt(host: number): number {
    return this.hostAt(host) + HOST_RANGES_OCTETS;
  }

  /** Offset of the first port of a set; its number of ports stands one octet before. */
  portsAt(portSet: number): number {
    return this.base + readUint32(this.bytes, this.portSetsAt + portSet * 4) + 1;
  }
}
