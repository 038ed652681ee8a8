import {
  EDE_NO_REACHABLE_AUTHORITY,
  TYPE_A,
  TYPE_AAAA,
  TYPE_ANY,
  TYPE_CNAME,
  TYPE_SRV,
} from "../dns/constants.ts";
import { equalLabels, nameOctets } from "../dns/name.ts";
import type { AnswerContext } from "./answer-context.ts";
import { MASK_ENDPOINTS, MASK_NAMESPACES, MASK_SERVICES } from "./delta.ts";
import { wireLabels } from "./labels.ts";
import { type EndpointRange, equalOctets, findEndpoint } from "./endpoint-search.ts";
import {
  ENTRY_REPEATED,
  PROTOCOL_SCTP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  readUint16,
  ServiceReader,
  TYPE_CLUSTER_IP,
  TYPE_EXTERNAL_NAME,
} from "./service-block.ts";
import { SrvAnswers } from "./srv-answers.ts";

const PROTOCOL_LABELS: readonly (readonly [Uint8Array, number])[] = [
  [wireLabels("_tcp"), PROTOCOL_TCP],
  [wireLabels("_udp"), PROTOCOL_UDP],
  [wireLabels("_sctp"), PROTOCOL_SCTP],
];
const UNDERSCORE = 0x5f;
const NONE = -1;

/** Answers names at and below one Service: `svc.ns`, `endpoint.svc.ns`, `_proto.svc.ns` and `_port._proto.svc.ns`. */
export class ServiceAnswers {
  readonly #context: AnswerContext;
  readonly #tracksAllEndpoints: boolean;
  readonly #reader = new ServiceReader();
  readonly #srv: SrvAnswers;
  readonly #range: EndpointRange = { first4: 0, count4: 0, first6: 0, count6: 0 };
  #turn = 0;

  constructor(context: AnswerContext, tracksAllEndpoints: boolean) {
    this.#context = context;
    this.#tracksAllEndpoints = tracksAllEndpoints;
    this.#srv = new SrvAnswers(context, this.#reader);
  }

  /**
   * @param serviceLabel  Which label is the Service's; the next is the namespace's.
   * @returns true when a CNAME was written and its target is to be answered next.
   */
  answer(serviceLabel: number): boolean {
    const { table, offsets, reply } = this.#context;
    if (serviceLabel === 2 && !this.#isPortShape()) {
      this.#context.denyImpossible();
      return false;
    }
    const from = offsets[serviceLabel];
    const handle = table.findService(reply.out, from, offsets[serviceLabel + 2]);
    if (handle < 0) {
      this.#denyService(offsets[serviceLabel + 1]);
      return false;
    }
    table.bind(handle, this.#reader);
    if (this.#reader.type === TYPE_EXTERNAL_NAME) return this.#answerAlias(serviceLabel);
    if (serviceLabel === 0) this.#answerServiceName();
    else if (serviceLabel === 1) this.#answerBelow();
    else this.#answerPort();
    return false;
  }

  #denyService(namespaceAt: number): void {
    const { table, reply } = this.#context;
    const isNamespaceMissing =
      (table.completeMask & MASK_NAMESPACES) !== 0 && !table.namespaces.has(reply.out, namespaceAt);
    this.#context.deny(isNamespaceMissing ? MASK_NAMESPACES : MASK_SERVICES);
  }

  /** Kubernetes DNS specification 1.1.0 section 2.5; a CNAME is the answer to every type (RFC 1034 section 3.6.2). */
  #answerAlias(serviceLabel: number): boolean {
    const context = this.#context;
    if (serviceLabel > 0) {
      context.deny(MASK_SERVICES);
      return false;
    }
    context.hold(MASK_SERVICES);
    const { bytes, targetAt } = this.#reader;
    const octets = nameOctets(bytes, targetAt);
    if (!context.reply.beginRecord(context.offsets[0], TYPE_CNAME, octets)) return false;
    context.reply.octets(bytes, targetAt, targetAt + octets);
    return context.qtype !== TYPE_CNAME && context.qtype !== TYPE_ANY;
  }

  /** The kinds that what we say of this Service rests on. */
  get #mask(): number {
    return this.#reader.type === TYPE_CLUSTER_IP ? MASK_SERVICES : MASK_SERVICES | MASK_ENDPOINTS;
  }

  #answerServiceName(): void {
    const context = this.#context;
    const reader = this.#reader;
    const isHeadless = reader.type !== TYPE_CLUSTER_IP;
    // No ready endpoint, no name (specification section 2.4.1).
    if (isHeadless && reader.entry4Count + reader.entry6Count === 0) {
      context.deny(this.#mask);
      return;
    }
    context.hold(this.#mask);
    switch (context.qtype) {
      case TYPE_A:
        if (isHeadless) this.#writeEntries(TYPE_A, reader.entries4At, reader.entry4Count);
        else this.#writeClusterIps(TYPE_A, reader.clusterIp4At, reader.clusterIp4Count);
        break;
      case TYPE_AAAA:
        if (isHeadless) this.#writeEntries(TYPE_AAAA, reader.entries6At, reader.entry6Count);
        else this.#writeClusterIps(TYPE_AAAA, reader.clusterIp6At, reader.clusterIp6Count);
        break;
      case TYPE_SRV:
        this.#srv.answerService(NONE, NONE, context.offsets[0]);
        break;
      case TYPE_ANY:
        context.minimalAny();
        break;
    }
    this.#nodataIfEmpty(this.#mask);
  }

  #nodataIfEmpty(mask: number): void {
    const context = this.#context;
    if (!context.isAnswered && !context.reply.isTruncated) context.nodata(mask);
  }

  #writeClusterIps(rrtype: number, at: number, count: number): void {
    const { reply, offsets } = this.#context;
    const octets = rrtype === TYPE_A ? 4 : 16;
    for (let index = 0; index < count; index++) {
      if (!reply.beginRecord(offsets[0], rrtype, octets)) return;
      const address = at + index * octets;
      reply.octets(this.#reader.bytes, address, address + octets);
    }
  }

  /** All distinct addresses of one family; each answer starts at the next entry, so that clients spread over all. */
  #writeEntries(rrtype: number, base: number, count: number): void {
    const { reply, offsets } = this.#context;
    const { bytes } = this.#reader;
    const octets = rrtype === TYPE_A ? 4 : 16;
    let entry = count > 1 ? this.#nextTurn() % count : 0;
    for (let visited = 0; visited < count; visited++) {
      const at = base + entry * (octets + 2);
      entry = entry + 1 === count ? 0 : entry + 1;
      if ((readUint16(bytes, at + octets) & ENTRY_REPEATED) !== 0) continue;
      if (!reply.beginRecord(offsets[0], rrtype, octets)) return;
      reply.octets(bytes, at, at + octets);
    }
  }

  #nextTurn(): number {
    this.#turn = (this.#turn + 1) & 0x3fffffff;
    return this.#turn;
  }

  /** One label in front of the Service: a protocol (an empty non-terminal, RFC 8020 section 3.1) or an endpoint. */
  #answerBelow(): void {
    const context = this.#context;
    const labelAt = context.offsets[0];
    const protocol = protocolOf(context.reply.out, labelAt);
    if (protocol !== NONE) {
      if ((this.#reader.protocolMask & (1 << protocol)) !== 0) context.nodata(this.#mask);
      else context.deny(this.#mask);
      return;
    }
    const isTracked = this.#tracksAllEndpoints || this.#reader.type !== TYPE_CLUSTER_IP;
    if (!isTracked && context.reply.out[labelAt + 1] !== UNDERSCORE) {
      context.fail(EDE_NO_REACHABLE_AUTHORITY);
      return;
    }
    const mask = MASK_SERVICES | MASK_ENDPOINTS;
    if (findEndpoint(this.#reader, context.reply.out, labelAt, this.#range)) this.#answerEndpoint(mask);
    else context.deny(mask);
  }

  #answerEndpoint(mask: number): void {
    const context = this.#context;
    const range = this.#range;
    context.hold(mask);
    switch (context.qtype) {
      case TYPE_A:
        this.#writeRange(TYPE_A, this.#reader.entries4At, range.first4, range.count4);
        break;
      case TYPE_AAAA:
        this.#writeRange(TYPE_AAAA, this.#reader.entries6At, range.first6, range.count6);
        break;
      case TYPE_SRV:
        this.#srv.answerEndpoint(range, context.offsets[1]);
        break;
      case TYPE_ANY:
        context.minimalAny();
        break;
    }
    this.#nodataIfEmpty(mask);
  }

  /** The distinct addresses of one endpoint name; within a range equal addresses are neighbours. */
  #writeRange(rrtype: number, base: number, first: number, count: number): void {
    const { reply, offsets } = this.#context;
    const { bytes } = this.#reader;
    const octets = rrtype === TYPE_A ? 4 : 16;
    const stride = octets + 2;
    for (let index = 0; index < count; index++) {
      const at = base + (first + index) * stride;
      if (index > 0 && equalOctets(bytes, at, at - stride, octets)) continue;
      if (!reply.beginRecord(offsets[0], rrtype, octets)) return;
      reply.octets(bytes, at, at + octets);
    }
  }

  /** Two labels in front of a Service can only be `_port._proto`: `google.com` there is a search list at work. */
  #isPortShape(): boolean {
    const { reply, offsets } = this.#context;
    return (
      reply.out[offsets[0]] > 1 &&
      reply.out[offsets[0] + 1] === UNDERSCORE &&
      protocolOf(reply.out, offsets[1]) !== NONE
    );
  }

  /** `_port._proto` in front of the Service (specification sections 2.3.2 and 2.4.2). */
  #answerPort(): void {
    const context = this.#context;
    const portAt = context.offsets[0];
    const protocol = protocolOf(context.reply.out, context.offsets[1]);
    if (!this.#srv.hasPort(portAt, protocol)) {
      context.deny(this.#mask);
      return;
    }
    context.hold(this.#mask);
    if (context.qtype === TYPE_SRV) this.#srv.answerService(portAt, protocol, context.offsets[2]);
    else if (context.qtype === TYPE_ANY) context.minimalAny();
    this.#nodataIfEmpty(this.#mask);
  }
}

function protocolOf(bytes: Uint8Array, at: number): number {
  for (const [label, protocol] of PROTOCOL_LABELS) {
    if (bytes[at] + 1 === label.length && equalLabels(label, 0, bytes, at, label.length)) return protocol;
  }
  return NONE;
}
