import { wireLabels } from "./labels.ts";
import type { Reply } from "./reply.ts";
import type { ServiceReader } from "./service-block.ts";
import type { Zone } from "./zones.ts";

const SVC = wireLabels("svc");

/**
 * Octets of `<label>.<svc>.<ns>.svc.<zone>`, which may be more than a name can have.
 *
 * @param label  An endpoint's, with its length octet; a length of 0 means the Service itself.
 */
export function serviceNameOctets(label: Uint8Array, reader: ServiceReader, zone: Zone): number {
  return endpointOctets(label) + reader.keyOctets + SVC.length + zone.wire.length;
}

/** Writes that name as RDATA, never compressed. */
export function writeServiceName(label: Uint8Array, reader: ServiceReader, zone: Zone, reply: Reply): void {
  reply.octets(label, 0, endpointOctets(label));
  reply.octets(reader.bytes, reader.keyAt, reader.keyAt + reader.keyOctets);
  reply.octets(SVC, 0, SVC.length);
  reply.octets(zone.wire, 0, zone.wire.length);
}

function endpointOctets(label: Uint8Array): number {
  return label[0] === 0 ? 0 : label[0] + 1;
}
