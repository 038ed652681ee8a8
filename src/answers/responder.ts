import {
  CLASS_IN,
  EDE_NONE,
  EDE_NOT_AUTHORITATIVE,
  EDE_NOT_SUPPORTED,
  EDE_OTHER,
  EDE_STALE_ANSWER,
  EDE_STALE_NXDOMAIN,
  RCODE_BADVERS,
  RCODE_FORMERR,
  RCODE_NOTIMP,
  RCODE_REFUSED,
  RCODE_SERVFAIL,
  TYPE_AXFR,
  TYPE_IXFR,
  TYPE_MAILA,
  TYPE_MAILB,
  TYPE_OPT,
  TYPE_TKEY,
  TYPE_TSIG,
} from "../dns/constants.ts";
import {
  createQuery,
  parseQuery,
  type Query,
  QUERY_BADVERS,
  QUERY_DROP,
  QUERY_NOTIMP,
  QUERY_OK,
} from "../dns/query.ts";
import { DROP, type Transport } from "../dns/transport.ts";
import { AnswerContext } from "./answer-context.ts";
import type { AnswerTable } from "./answer-table.ts";
import { PointerAnswers } from "./pointer-answers.ts";
import { Reply } from "./reply.ts";
import { ServiceAnswers } from "./service-answers.ts";
import { ZoneAnswers } from "./zone-answers.ts";
import { isInZone, isReverseZone, REVERSE_4, REVERSE_6, toZone, type Zone } from "./zones.ts";

/** Links of an alias chain that are followed; Services that point at each other end here (RFC 1034 section 5.3.3). */
const MAX_CNAME_CHAIN = 8;
const MAX_LABELS = 128;
/** INFO-CODEs that IANA has registered, and room. */
const EXTENDED_ERRORS = 32;

/** Indices of `Responder.answers`. */
export const ANSWERS_LIVE = 0;
export const ANSWERS_STALE = 1;

export interface ResponderOptions {
  /** Names of the zones served; the first that is no reverse zone is the one PTR records lead to. Reverse zones are served whole. */
  readonly zones: readonly string[];
  readonly ttlSeconds: number;
  readonly pods: "disabled" | "insecure";
  /** Whether the endpoints of ClusterIP Services are in the table too. */
  readonly tracksAllEndpoints: boolean;
  /** Addresses of the zones' name server, 4 or 16 octets each. */
  readonly nameServerAddresses: readonly Uint8Array[];
}

/** Answers queries from one table. Bytes in, bytes out: no object, string, promise or exception per query. */
export class Responder {
  /** Replies so far by the INFO-CODE of their Extended DNS Error, whether or not the client could be told (no EDNS). */
  readonly extendedErrors = new Float64Array(EXTENDED_ERRORS);
  /** Answers and denials from our zones so far, by whether they rest on data in step with its source (`ANSWERS_*`). */
  readonly answers = new Float64Array(2);
  readonly #query = createQuery();
  readonly #reply = new Reply();
  readonly #context: AnswerContext;
  readonly #zoneAnswers: ZoneAnswers;
  readonly #pointers: PointerAnswers;
  /** Longest first: a name belongs to the closest zone above it (RFC 1034 section 4.3.2). */
  readonly #zones: readonly Zone[];
  readonly #reverseZones: readonly Zone[];
  readonly #aliasOffsets = new Uint16Array(MAX_LABELS);

  constructor(table: AnswerTable, options: ResponderOptions) {
    const zones = options.zones.map(toZone);
    const byLength = zones.toSorted((a, b) => b.labelCount - a.labelCount);
    this.#zones = byLength.filter((zone) => !isReverseZone(zone));
    this.#reverseZones = byLength.filter(isReverseZone);
    this.#context = new AnswerContext(table, this.#reply, options.ttlSeconds);
    const services = new ServiceAnswers(this.#context, options.tracksAllEndpoints);
    this.#zoneAnswers = new ZoneAnswers(this.#context, services, options);
    const primaryZone = zones.find((zone) => !isReverseZone(zone)) ?? zones[0];
    this.#pointers = new PointerAnswers(this.#context, primaryZone, options.tracksAllEndpoints);
  }

  /**
   * Writes the response to one query into `out`.
   *
   * @param bytes   One DNS message in wire format; only `bytes[0..length)` is read.
   * @param length  Octets in the message.
   * @param out     1232 octets for UDP, 65535 for TCP; must not be `bytes`. Reused by the caller, so copy before keeping.
   * @returns Octets written, or `DROP` when no reply is due. Never throws, for any bytes.
   * @see RFC 1035 section 4.1; RFC 2308 section 2; RFC 6891; Kubernetes DNS specification 1.1.0.
   */
  respond(bytes: Uint8Array, length: number, out: Uint8Array, transport: Transport): number {
    const query = this.#query;
    const outcome = parseQuery(bytes, length, query);
    if (outcome === QUERY_DROP) return DROP;
    this.#reply.begin(query, bytes, out, transport);
    if (outcome === QUERY_OK) this.#answer(query);
    else this.#reply.rcode = rcodeOfFault(outcome);
    const reply = this.#reply;
    this.#count(reply);
    return reply.finish(query, transport);
  }

  #count({ edeCode, isAuthoritative, rcode }: Reply): void {
    if (edeCode !== EDE_NONE) this.extendedErrors[edeCode]++;
    // An alias chain that leads nowhere is authoritative and fails.
    if (!isAuthoritative || rcode === RCODE_SERVFAIL) return;
    const isStale = edeCode === EDE_STALE_ANSWER || edeCode === EDE_STALE_NXDOMAIN;
    this.answers[isStale ? ANSWERS_STALE : ANSWERS_LIVE]++;
  }

  #answer(query: Query): void {
    const reply = this.#reply;
    if (query.qclass !== CLASS_IN || query.qtype === TYPE_AXFR || query.qtype === TYPE_IXFR) {
      reply.rcode = RCODE_REFUSED;
      reply.edeCode = EDE_NOT_SUPPORTED;
    } else if (isMetaType(query.qtype)) reply.rcode = RCODE_NOTIMP;
    else this.#answerName(query);
  }

  /** Answers QNAME and, where it is an alias, the names it leads to. */
  #answerName(query: Query): void {
    const context = this.#context;
    context.qtype = query.qtype;
    context.offsets = query.labelOffsets;
    context.labelCount = query.labelCount;
    for (let hop = 0; hop <= MAX_CNAME_CHAIN; hop++) {
      context.beginName();
      context.zone = this.#zoneOf(this.#zones);
      if (context.zone === undefined) {
        this.#answerOutside(hop > 0);
        return;
      }
      const rdataAt = this.#reply.at;
      if (!this.#zoneAnswers.answer()) return;
      this.#readAlias(rdataAt);
    }
    this.#reply.clear(query);
    context.fail(EDE_OTHER);
  }

  #zoneOf(zones: readonly Zone[]): Zone | undefined {
    const { offsets, labelCount } = this.#context;
    for (const zone of zones) {
      if (isInZone(zone, this.#reply.out, offsets, labelCount)) return zone;
    }
    return undefined;
  }

  /** The CNAME that was just written holds the next name: the octets behind its ten fixed ones and the pointer. */
  #readAlias(recordAt: number): void {
    const { out } = this.#reply;
    const offsets = this.#aliasOffsets;
    let count = 0;
    let at = recordAt + 12;
    for (; out[at] !== 0; at += out[at] + 1) offsets[count++] = at;
    offsets[count] = at;
    this.#context.offsets = offsets;
    this.#context.labelCount = count;
  }

  #answerOutside(isAliasTarget: boolean): void {
    const context = this.#context;
    const { offsets, labelCount } = context;
    const reply = this.#reply;
    const isIpv6 = isInZone(REVERSE_6, reply.out, offsets, labelCount);
    if (isIpv6 || isInZone(REVERSE_4, reply.out, offsets, labelCount)) {
      this.#answerReverse(labelCount - REVERSE_4.labelCount, isIpv6);
    } else if (isAliasTarget) {
      // A bare CNAME with NOERROR would look like "no such data": the client must know that there is more to find.
      context.fail(EDE_NOT_AUTHORITATIVE);
    } else {
      reply.rcode = RCODE_REFUSED;
      reply.edeCode = EDE_NOT_AUTHORITATIVE;
    }
  }

  #answerReverse(addressLabels: number, isIpv6: boolean): void {
    const context = this.#context;
    const served = this.#zoneOf(this.#reverseZones);
    context.zone = served ?? (isIpv6 ? REVERSE_6 : REVERSE_4);
    if (this.#pointers.answer(addressLabels, isIpv6)) return;
    if (served === undefined) this.#pointers.fail();
    else if (!this.#zoneAnswers.answerZoneItself()) this.#pointers.deny(addressLabels, isIpv6);
  }
}

function rcodeOfFault(outcome: number): number {
  if (outcome === QUERY_NOTIMP) return RCODE_NOTIMP;
  return outcome === QUERY_BADVERS ? RCODE_BADVERS : RCODE_FORMERR;
}

/** Types that are no data and that nothing here gives a meaning (RFC 8906 section 7). */
function isMetaType(qtype: number): boolean {
  return (
    qtype === TYPE_OPT ||
    qtype === TYPE_TKEY ||
    qtype === TYPE_TSIG ||
    qtype === TYPE_MAILA ||
    qtype === TYPE_MAILB
  );
}
