import { EDE_NO_REACHABLE_AUTHORITY, MAX_NAME_OCTETS, TYPE_ANY, TYPE_PTR } from "../dns/constants.ts";
import { writeAddressLabel } from "./address-label.ts";
import { hashAddress } from "./address-index.ts";
import type { AnswerContext } from "./answer-context.ts";
import { MASK_ALL, MASK_ENDPOINTS, MASK_SERVICES } from "./delta.ts";
import { equalOctets, hostOfEntry } from "./endpoint-search.ts";
import { isReverseNamePart, parseReverseName } from "./reverse-name.ts";
import { serviceNameOctets, writeServiceName } from "./service-name.ts";
import { ENTRY4_OCTETS, ENTRY6_OCTETS, ServiceReader } from "./service-block.ts";
import type { Zone } from "./zones.ts";

/** Answers PTR queries from the addresses of Services and endpoints (Kubernetes DNS specification 2.3.3, 2.4.3). */
export class PointerAnswers {
  readonly #context: AnswerContext;
  readonly #primaryZone: Zone;
  readonly #tracksAllEndpoints: boolean;
  readonly #reader = new ServiceReader();
  readonly #address = new Uint8Array(16);
  readonly #label = new Uint8Array(64);

  constructor(context: AnswerContext, primaryZone: Zone, tracksAllEndpoints: boolean) {
    this.#context = context;
    this.#primaryZone = primaryZone;
    this.#tracksAllEndpoints = tracksAllEndpoints;
  }

  /**
   * Answers a name below `in-addr.arpa` or `ip6.arpa`.
   *
   * @param addressLabels  Labels in front of that suffix.
   * @returns false when the address is not ours: nothing is written.
   */
  answer(addressLabels: number, isIpv6: boolean): boolean {
    const context = this.#context;
    const { reply, offsets } = context;
    const octets = parseReverseName(reply.out, offsets, addressLabels, isIpv6, this.#address);
    if (octets === 0) return false;
    const hash = hashAddress(this.#address, 0, octets);
    // A ClusterIP belongs to one Service; pods may be endpoints of several.
    let holders = this.#walk(hash, octets, true);
    const mask = holders > 0 ? MASK_SERVICES : MASK_SERVICES | MASK_ENDPOINTS;
    if (holders === 0) holders = this.#walk(hash, octets, false);
    if (holders === 0) return false;
    if (context.qtype === TYPE_ANY) {
      context.hold(mask);
      context.minimalAny();
    } else if (!context.isAnswered && !reply.isTruncated) context.nodata(mask);
    return true;
  }

  /**
   * The name is below a reverse zone that we serve whole, and no address of ours.
   *
   * The beginning of an address is never denied: resolvers take NXDOMAIN for everything below too (RFC 8020 section 2), and
   * whether there is an address below it is not indexed.
   */
  deny(addressLabels: number, isIpv6: boolean): void {
    const { reply, offsets } = this.#context;
    if (isReverseNamePart(reply.out, offsets, addressLabels, isIpv6)) this.#context.nodata(0);
    else if (this.#tracksAllEndpoints) this.#context.deny(MASK_ALL);
    else this.fail();
  }

  /** The address may belong to a pod that we do not track. */
  fail(): void {
    this.#context.fail(EDE_NO_REACHABLE_AUTHORITY);
  }

  /** @returns How many Services hold the address; their PTR records are written when they were asked for. */
  #walk(hash: number, octets: number, isClusterIp: boolean): number {
    const { table, qtype } = this.#context;
    const index = table.pointers(hash);
    let holders = 0;
    for (let slot = index.first(hash); slot >= 0; slot = index.next(slot, hash)) {
      const detail = index.detailAt(slot);
      if (detail < 0 !== isClusterIp) continue;
      table.bind(index.handleAt(slot), this.#reader);
      if (!this.#hasAddress(detail, octets)) continue;
      if (holders++ === 0) this.#context.hold(isClusterIp ? MASK_SERVICES : MASK_SERVICES | MASK_ENDPOINTS);
      if (qtype === TYPE_PTR && !this.#writePointer(detail, octets)) break;
    }
    return holders;
  }

  #addressAt(detail: number, octets: number): number {
    const reader = this.#reader;
    if (detail < 0)
      return (octets === 4 ? reader.clusterIp4At : reader.clusterIp6At) + (-1 - detail) * octets;
    return octets === 4
      ? reader.entries4At + detail * ENTRY4_OCTETS
      : reader.entries6At + detail * ENTRY6_OCTETS;
  }

  /** The index narrows by hash: families and addresses that share one are told apart here. */
  #hasAddress(detail: number, octets: number): boolean {
    const reader = this.#reader;
    const ips = octets === 4 ? reader.clusterIp4Count : reader.clusterIp6Count;
    const entries = octets === 4 ? reader.entry4Count : reader.entry6Count;
    if (detail < 0 ? -1 - detail >= ips : detail >= entries) return false;
    const at = this.#addressAt(detail, octets);
    for (let index = 0; index < octets; index++) {
      if (reader.bytes[at + index] !== this.#address[index]) return false;
    }
    return true;
  }

  #writePointer(detail: number, octets: number): boolean {
    const { reply, offsets } = this.#context;
    const reader = this.#reader;
    if (detail < 0) this.#label[0] = 0;
    else if (!this.#readEndpointLabel(detail, octets)) return true;
    const rdataOctets = serviceNameOctets(this.#label, reader, this.#primaryZone);
    if (rdataOctets > MAX_NAME_OCTETS) return true;
    if (!reply.beginRecord(offsets[0], TYPE_PTR, rdataOctets)) return false;
    writeServiceName(this.#label, reader, this.#primaryZone, reply);
    return true;
  }

  /** Puts the endpoint's label into `#label`. @returns false when an entry before gave the same name. */
  #readEndpointLabel(entry: number, octets: number): boolean {
    const reader = this.#reader;
    const label = this.#label;
    const dashed = octets === 4 ? reader.dashed4Count : reader.dashed6Count;
    const at = this.#addressAt(entry, octets);
    const isRepeated = entry > 0 && equalOctets(reader.bytes, at, at - octets - 2, octets);
    if (entry < dashed) {
      if (isRepeated) return false;
      label[0] = writeAddressLabel(reader.bytes, at, octets, label, 1) - 1;
      return true;
    }
    const host = hostOfEntry(reader, entry, octets === 16);
    if (isRepeated && entry - 1 >= dashed && hostOfEntry(reader, entry - 1, octets === 16) === host)
      return false;
    const labelAt = reader.hostLabelAt(host);
    const end = reader.bytes[labelAt] + 1;
    for (let index = 0; index < end; index++) label[index] = reader.bytes[labelAt + index];
    return true;
  }
}
