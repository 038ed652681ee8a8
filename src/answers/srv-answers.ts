import { MAX_NAME_OCTETS, TYPE_A, TYPE_AAAA, TYPE_SRV } from "../dns/constants.ts";
import { foldCase } from "../dns/name.ts";
import { writeAddressLabel } from "./address-label.ts";
import type { AnswerContext } from "./answer-context.ts";
import { type EndpointRange, equalOctets, readHostRange } from "./endpoint-search.ts";
import { serviceNameOctets, writeServiceName } from "./service-name.ts";
import {
  ENTRY4_OCTETS,
  ENTRY6_OCTETS,
  ENTRY_REPEATED,
  readUint16,
  type ServiceReader,
  TYPE_CLUSTER_IP,
} from "./service-block.ts";

const SRV_FIXED_OCTETS = 6;
/** Any port, named or not. */
const ANY_PORT = -1;
/** Port lists that a target is known to have already; further ones are looked at each time they come. */
const MAX_SEEN_PORT_SETS = 16;
const PORTS = 65_536;
const MAX_TARGET_NUMBER = 0xffff_ffff;

/**
 * SRV records of one Service, made from its ports and endpoints when asked (Kubernetes DNS specification 1.1.0 sections 2.3.2
 * and 2.4.2), with the targets' addresses in the additional section.
 *
 * Targets are never compressed (RFC 2782, RFC 3597 section 4: c-ares 1.34.7 refuses them otherwise).
 */
export class SrvAnswers {
  readonly #context: AnswerContext;
  readonly #reader: ServiceReader;
  /** The target's first label with its length octet; a length of 0 means the Service itself. */
  readonly #label = new Uint8Array(64);
  readonly #range: EndpointRange = { first4: 0, count4: 0, first6: 0, count6: 0 };
  readonly #seenPortSets = new Uint16Array(MAX_SEEN_PORT_SETS);
  #seenCount = 0;
  /** For each port number the last target that got a record with it: nothing to clear between targets. */
  readonly #targetOfPort = new Uint32Array(PORTS);
  #targetNumber = 0;
  #portAt = ANY_PORT;
  #protocol = ANY_PORT;
  #serviceAt = 0;
  #weight = 0;

  constructor(context: AnswerContext, reader: ServiceReader) {
    this.#context = context;
    this.#reader = reader;
  }

  /** @param portAt  Offset in the reply of a label `_port`. */
  hasPort(portAt: number, protocol: number): boolean {
    this.#select(portAt, protocol, 0);
    const reader = this.#reader;
    const firstSet = reader.type === TYPE_CLUSTER_IP ? 0 : 1;
    const endSet = reader.type === TYPE_CLUSTER_IP ? 1 : reader.portSetCount;
    for (let set = firstSet; set < endSet; set++) {
      if (this.#matches(set) > 0) return true;
    }
    return false;
  }

  /** @param serviceAt  Offset in the reply of the Service's label: targets' owners point to it. */
  answerService(portAt: number, protocol: number, serviceAt: number): void {
    this.#select(portAt, protocol, serviceAt);
    const reader = this.#reader;
    if (reader.type === TYPE_CLUSTER_IP) {
      this.#answerClusterIp();
      return;
    }
    this.#weight = weightOf(
      this.#countMatches(reader.entries4At, ENTRY4_OCTETS, 0, reader.entry4Count) +
        this.#countMatches(reader.entries6At, ENTRY6_OCTETS, 0, reader.entry6Count),
    );
    this.#forEachTarget(false);
    if (this.#mayAddAddresses()) this.#forEachTarget(true);
  }

  /** All ports of one endpoint name. */
  answerEndpoint(range: EndpointRange, serviceAt: number): void {
    this.#select(ANY_PORT, ANY_PORT, serviceAt);
    const reader = this.#reader;
    const { reply, offsets } = this.#context;
    this.#weight = weightOf(
      this.#countMatches(reader.entries4At, ENTRY4_OCTETS, range.first4, range.count4) +
        this.#countMatches(reader.entries6At, ENTRY6_OCTETS, range.first6, range.count6),
    );
    const labelAt = offsets[0];
    for (let index = 0; index <= reply.out[labelAt]; index++) {
      this.#label[index] = foldCase(reply.out[labelAt + index]);
    }
    this.#writeTarget(range);
    if (this.#mayAddAddresses()) this.#writeTargetAddresses(range);
  }

  #select(portAt: number, protocol: number, serviceAt: number): void {
    this.#portAt = portAt;
    this.#protocol = protocol;
    this.#serviceAt = serviceAt;
    this.#label[0] = 0;
  }

  #answerClusterIp(): void {
    const { bytes, clusterIp4At, clusterIp4Count, clusterIp6At, clusterIp6Count } = this.#reader;
    this.#weight = weightOf(this.#matches(0) * (clusterIp4Count + clusterIp6Count));
    if (clusterIp4Count + clusterIp6Count === 0) return;
    this.#beginTarget();
    this.#writePorts(0);
    if (!this.#mayAddAddresses()) return;
    this.#writeAddresses(TYPE_A, bytes, clusterIp4At, 4, clusterIp4Count);
    this.#writeAddresses(TYPE_AAAA, bytes, clusterIp6At, 16, clusterIp6Count);
  }

  /** Turns to the additional section, if the SRV records are all there. */
  #mayAddAddresses(): boolean {
    const { reply, isAnswered } = this.#context;
    if (reply.isTruncated || !isAnswered) return false;
    reply.beginAdditional();
    return true;
  }

  /** Walks the endpoint names of the Service: dashed addresses, then hostnames. */
  #forEachTarget(isAdditional: boolean): void {
    const reader = this.#reader;
    const { reply } = this.#context;
    for (let entry = 0; entry < reader.dashed4Count && !reply.isTruncated;) {
      entry = this.#dashedTarget(entry, reader.dashed4Count, reader.entries4At, 4, isAdditional);
    }
    for (let entry = 0; entry < reader.dashed6Count && !reply.isTruncated;) {
      entry = this.#dashedTarget(entry, reader.dashed6Count, reader.entries6At, 16, isAdditional);
    }
    for (let host = 0; host < reader.hostCount && !reply.isTruncated; host++) {
      readHostRange(reader, host, this.#range);
      const labelAt = reader.hostLabelAt(host);
      for (let index = 0; index <= reader.bytes[labelAt]; index++) {
        this.#label[index] = reader.bytes[labelAt + index];
      }
      this.#target(isAdditional);
    }
  }

  /** @returns The entry behind those of this target. */
  #dashedTarget(first: number, count: number, base: number, octets: number, isAdditional: boolean): number {
    const { bytes } = this.#reader;
    const stride = octets + 2;
    let end = first + 1;
    while (end < count && equalOctets(bytes, base + end * stride, base + first * stride, octets)) end++;
    const range = this.#range;
    range.first4 = first;
    range.first6 = first;
    range.count4 = octets === 4 ? end - first : 0;
    range.count6 = octets === 16 ? end - first : 0;
    const labelEnd = writeAddressLabel(bytes, base + first * stride, octets, this.#label, 1);
    this.#label[0] = labelEnd - 1;
    this.#target(isAdditional);
    return end;
  }

  #target(isAdditional: boolean): void {
    if (!isAdditional) this.#writeTarget(this.#range);
    else if (this.#rangeMatches(this.#range)) this.#writeTargetAddresses(this.#range);
  }

  #rangeMatches(range: EndpointRange): boolean {
    const { entries4At, entries6At } = this.#reader;
    return (
      this.#countMatches(entries4At, ENTRY4_OCTETS, range.first4, range.count4) > 0 ||
      this.#countMatches(entries6At, ENTRY6_OCTETS, range.first6, range.count6) > 0
    );
  }

  /** One SRV per distinct port of the target. */
  #writeTarget(range: EndpointRange): void {
    this.#beginTarget();
    this.#writeTargetPorts(this.#reader.entries4At, ENTRY4_OCTETS, range.first4, range.count4);
    this.#writeTargetPorts(this.#reader.entries6At, ENTRY6_OCTETS, range.first6, range.count6);
  }

  #beginTarget(): void {
    this.#seenCount = 0;
    if (this.#targetNumber === MAX_TARGET_NUMBER) {
      this.#targetOfPort.fill(0);
      this.#targetNumber = 0;
    }
    this.#targetNumber++;
  }

  #writeTargetPorts(base: number, stride: number, first: number, count: number): void {
    for (let entry = first; entry < first + count; entry++) {
      this.#writePorts(this.#portSetOf(base + entry * stride, stride));
    }
  }

  #portSetOf(entryAt: number, stride: number): number {
    return readUint16(this.#reader.bytes, entryAt + stride - 2) & ~ENTRY_REPEATED;
  }

  #writePorts(portSet: number): void {
    if (this.#wasSeen(portSet)) return;
    if (this.#seenCount < MAX_SEEN_PORT_SETS) this.#seenPortSets[this.#seenCount++] = portSet;
    const { bytes } = this.#reader;
    let at = this.#reader.portsAt(portSet);
    for (let left = bytes[at - 1]; left > 0; left--) {
      if (this.#matchesPort(at) && !this.#writePort(readUint16(bytes, at))) return;
      at += 4 + bytes[at + 3];
    }
  }

  #wasSeen(portSet: number): boolean {
    for (let index = 0; index < this.#seenCount; index++) {
      if (this.#seenPortSets[index] === portSet) return true;
    }
    return false;
  }

  /** A number that the target has twice (`dns` over UDP and TCP, or in two port lists) is one record: SRV records hold no more. */
  #writePort(port: number): boolean {
    if (this.#targetOfPort[port] === this.#targetNumber) return true;
    this.#targetOfPort[port] = this.#targetNumber;
    return this.#writeSrv(port);
  }

  #writeSrv(port: number): boolean {
    const { reply, offsets, zone } = this.#context;
    const targetOctets = this.#targetOctets();
    // A name that cannot exist (Multicluster specification's rule, taken for all): left out, never cut.
    if (targetOctets > MAX_NAME_OCTETS) return true;
    if (!reply.beginRecord(offsets[0], TYPE_SRV, SRV_FIXED_OCTETS + targetOctets)) return false;
    reply.uint16(0);
    reply.uint16(this.#weight);
    reply.uint16(port);
    writeServiceName(this.#label, this.#reader, zone!, reply);
    return true;
  }

  /** Octets of the target's name in wire form. */
  #targetOctets(): number {
    return serviceNameOctets(this.#label, this.#reader, this.#context.zone!);
  }

  #writeTargetAddresses(range: EndpointRange): void {
    if (this.#targetOctets() > MAX_NAME_OCTETS) return;
    const { bytes, entries4At, entries6At } = this.#reader;
    const first4 = entries4At + range.first4 * ENTRY4_OCTETS;
    const first6 = entries6At + range.first6 * ENTRY6_OCTETS;
    this.#writeAddresses(TYPE_A, bytes, first4, ENTRY4_OCTETS, range.count4);
    this.#writeAddresses(TYPE_AAAA, bytes, first6, ENTRY6_OCTETS, range.count6);
  }

  /** A whole RRset or nothing (RFC 2181 section 9). */
  #writeAddresses(rrtype: number, bytes: Uint8Array, first: number, stride: number, count: number): void {
    const { reply } = this.#context;
    const octets = rrtype === TYPE_A ? 4 : 16;
    const start = reply.at;
    const before = reply.additionalCount;
    for (let index = 0; index < count; index++) {
      const at = first + index * stride;
      if (index > 0 && equalOctets(bytes, at, at - stride, octets)) continue;
      const isBegun =
        this.#label[0] === 0
          ? reply.beginRecord(this.#serviceAt, rrtype, octets)
          : reply.beginRecordBelow(this.#label, this.#serviceAt, rrtype, octets);
      if (!isBegun) {
        reply.restoreAdditional(start, before);
        return;
      }
      reply.octets(bytes, at, at + octets);
    }
  }

  #countMatches(base: number, stride: number, first: number, count: number): number {
    let total = 0;
    let lastSet = -1;
    let lastMatches = 0;
    for (let entry = first; entry < first + count; entry++) {
      const set = this.#portSetOf(base + entry * stride, stride);
      if (set !== lastSet) {
        lastSet = set;
        lastMatches = this.#matches(set);
      }
      total += lastMatches;
    }
    return total;
  }

  /** How many ports of a set are asked for. */
  #matches(portSet: number): number {
    const { bytes } = this.#reader;
    let at = this.#reader.portsAt(portSet);
    let count = 0;
    for (let left = bytes[at - 1]; left > 0; left--) {
      if (this.#matchesPort(at)) count++;
      at += 4 + bytes[at + 3];
    }
    return count;
  }

  /** @param at  Offset of a port in the block: u16 number, u8 protocol, u8 name octets, name. */
  #matchesPort(at: number): boolean {
    const { bytes } = this.#reader;
    // An EndpointSlice port without number means "all": there is none to name.
    if (readUint16(bytes, at) === 0) return false;
    if (this.#portAt === ANY_PORT) return true;
    const { out } = this.#context.reply;
    const nameOctets = bytes[at + 3];
    // The asked label has one octet more: the underscore. An unnamed port has no name to ask for.
    if (bytes[at + 2] !== this.#protocol || nameOctets === 0 || out[this.#portAt] !== nameOctets + 1) {
      return false;
    }
    for (let index = 0; index < nameOctets; index++) {
      if (bytes[at + 4 + index] !== foldCase(out[this.#portAt + 2 + index])) return false;
    }
    return true;
  }
}

/** CoreDNS's rule, which clients see today: equal shares of 100, at least 1. */
function weightOf(records: number): number {
  return Math.max(1, Math.floor(100 / Math.max(1, records)));
}
