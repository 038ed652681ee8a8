import type { PackedService } from "../model/packed-service.ts";
import type { BlockWriter } from "./block-writer.ts";
import { TYPE_CLUSTER_IP } from "./service-block.ts";

const MAX_PORTS = 255;

/**
 * `compileService` for a ClusterIP Service whose endpoints are not tracked, straight from its packed form: nearly all Services of a
 * cluster are such, and a restart's first answer waits for them. Writes the same octets (proven by test).
 */
export function compileClusterIpService(service: PackedService, out: BlockWriter): true {
  const { bytes, nameAt, nameOctets, namespaceAt, namespaceOctets } = service;
  out.begin();
  out.uint8(TYPE_CLUSTER_IP);
  out.uint8(nameOctets + namespaceOctets + 2);
  out.uint8(countClusterIps(service, 4));
  out.uint8(countClusterIps(service, 16));
  out.uint8(namedProtocols(service));
  out.uint8(0);
  out.uint16(1);
  out.uint32(0);
  out.uint8(nameOctets);
  out.range(bytes, nameAt, nameAt + nameOctets);
  out.uint8(namespaceOctets);
  out.range(bytes, namespaceAt, namespaceAt + namespaceOctets);
  writeClusterIps(service, 4, out);
  writeClusterIps(service, 16, out);
  writePorts(service, out);
  return true;
}

function countClusterIps({ bytes, clusterIpCount, clusterIpsAt }: PackedService, octets: number): number {
  let count = 0;
  let at = clusterIpsAt;
  for (let left = clusterIpCount; left > 0; left--) {
    if (bytes[at] === octets) count++;
    at += bytes[at] + 1;
  }
  return count;
}

function writeClusterIps(service: PackedService, octets: number, out: BlockWriter): void {
  const { bytes, clusterIpCount, clusterIpsAt } = service;
  let at = clusterIpsAt;
  for (let left = clusterIpCount; left > 0; left--) {
    if (bytes[at] === octets) out.range(bytes, at + 1, at + 1 + octets);
    at += bytes[at] + 1;
  }
}

function namedProtocols(service: PackedService): number {
  let mask = 0;
  let at = service.portsAt;
  for (let left = service.portCount; left > 0; left--) {
    at = service.readPort(at);
    if (service.portNameOctets > 0 && service.portNumber !== 0) mask |= 1 << service.portProtocol;
  }
  return mask;
}

function writePorts(service: PackedService, out: BlockWriter): void {
  // The one port set stands right behind its offset.
  out.uint32(out.offset + 4);
  out.uint8(Math.min(service.portCount, MAX_PORTS));
  let at = service.portsAt;
  for (let left = Math.min(service.portCount, MAX_PORTS); left > 0; left--) {
    at = service.readPort(at);
    out.uint16(service.portNumber);
    out.uint8(service.portProtocol);
    out.uint8(service.portNameOctets);
    out.range(service.bytes, service.portName, service.portName + service.portNameOctets);
  }
}
