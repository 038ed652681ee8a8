import type { ObjectKey } from "./packed-record.ts";
import { KINDS } from "./records.ts";

const decoder = new TextDecoder();
const PLAIN = 0;
const CONTINUED = 0x80;

/**
 * Reads a packed Service in place (`packed-record.ts` has the layout): a restart compiles ten thousand of them before the first answer,
 * and records with strings would take most of that time. One cursor is made and bound again and again; the octets are trusted.
 */
export class PackedService {
  bytes: Uint8Array = new Uint8Array(0);
  /** Octets of the namespace: `bytes[namespaceAt..namespaceAt + namespaceOctets)`, and so on. */
  namespaceAt = 0;
  namespaceOctets = 0;
  nameAt = 0;
  nameOctets = 0;
  /** Neither headless nor an ExternalName. */
  isClusterIp = false;
  clusterIpCount = 0;
  /** First ClusterIP: an octet that says 4 or 16, then as many. */
  clusterIpsAt = 0;
  portCount = 0;
  /** First port: read it with `readPort`. */
  portsAt = 0;
  portName = 0;
  portNameOctets = 0;
  /** 0 TCP, 1 UDP, 2 SCTP. */
  portProtocol = 0;
  portNumber = 0;
  #at = 0;

  bind(bytes: Uint8Array, at: number): void {
    if (KINDS[bytes[at]] !== "Service")
      throw new TypeError(`Cannot read a Service at ${at}: it is another kind`);
    this.bytes = bytes;
    this.#at = at + 1;
    this.namespaceOctets = this.#varint();
    this.namespaceAt = this.#at;
    this.#at += this.namespaceOctets;
    this.nameOctets = this.#varint();
    this.nameAt = this.#at;
    this.#at += this.nameOctets;
    this.isClusterIp = bytes[this.#at++] === PLAIN;
    this.clusterIpCount = this.#varint();
    this.clusterIpsAt = this.#at;
    for (let left = this.clusterIpCount; left > 0; left--) this.#at += bytes[this.#at] + 1;
    const externalNameOctets = this.#varint();
    this.#at += externalNameOctets;
    this.portCount = this.#varint();
    this.portsAt = this.#at;
  }

  key(): ObjectKey {
    const { bytes, namespaceAt, namespaceOctets, nameAt, nameOctets } = this;
    return {
      namespace: decoder.decode(bytes.subarray(namespaceAt, namespaceAt + namespaceOctets)),
      name: decoder.decode(bytes.subarray(nameAt, nameAt + nameOctets)),
    };
  }

  /** Fills the `port` fields. @returns Where the next port stands. */
  readPort(at: number): number {
    this.#at = at;
    this.portNameOctets = this.#varint();
    this.portName = this.#at;
    this.#at += this.portNameOctets;
    this.portProtocol = this.bytes[this.#at++];
    this.portNumber = this.#varint();
    return this.#at;
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const octet = this.bytes[this.#at++];
      value |= (octet & (CONTINUED - 1)) << shift;
      if (octet < CONTINUED) return value;
    }
  }
}
