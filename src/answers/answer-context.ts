import {
  EDE_NOT_READY,
  EDE_STALE_ANSWER,
  EDE_STALE_NXDOMAIN,
  RCODE_NXDOMAIN,
  RCODE_SERVFAIL,
  TYPE_HINFO,
  TYPE_SOA,
} from "../dns/constants.ts";
import type { AnswerTable } from "./answer-table.ts";
import { MASK_ALL } from "./delta.ts";
import { wireLabels } from "./labels.ts";
import type { Reply } from "./reply.ts";
import type { Zone } from "./zones.ts";

/** RFC 8767 section 4 recommends it for stale data. */
const MAX_STALE_TTL_SECONDS = 30;
/** A denial that may be out of date must not outlive the moment in which it is corrected. */
const MAX_STALE_NEGATIVE_TTL_SECONDS = 5;

const NS_DNS = wireLabels("ns", "dns");
const HOSTMASTER = wireLabels("hostmaster");
const SOA_REFRESH_SECONDS = 7200;
const SOA_RETRY_SECONDS = 1800;
const SOA_EXPIRE_SECONDS = 86_400;
const SOA_NUMBERS_OCTETS = 20;
const POINTER_OCTETS = 2;
/** CPU "RFC8482", OS "": there is more, and no one needs it (RFC 8482 section 4.2). */
const HINFO_RFC8482 = new Uint8Array([...wireLabels("RFC8482"), 0]);

/**
 * The name that is being answered and what may be concluded about it: the fresh/stale/unknown table of the design, in one place.
 *
 * Each conclusion names the kinds of objects it rests on (`MASK_*`). A denial needs all of them known whole (invariant I2); whatever rests on
 * a kind that is not in step with its source is marked stale (invariant I9).
 */
export class AnswerContext {
  readonly table: AnswerTable;
  readonly reply: Reply;
  readonly #ttlSeconds: number;
  /** Offsets of the labels in `reply.out`, leftmost first; `[labelCount]` is the root's. */
  offsets: Uint16Array = new Uint16Array(0);
  labelCount = 0;
  zone: Zone | undefined;
  qtype = 0;
  #answersBefore = 0;

  constructor(table: AnswerTable, reply: Reply, ttlSeconds: number) {
    this.table = table;
    this.reply = reply;
    this.#ttlSeconds = ttlSeconds;
  }

  /** Call when the name, or the zone it is in, is another one. */
  beginName(): void {
    this.#answersBefore = this.reply.answerCount;
  }

  /** Whether the name itself was given an answer: the aliases that led to it do not count. */
  get isAnswered(): boolean {
    return this.reply.answerCount > this.#answersBefore;
  }

  /** Offset of the zone's apex in the name. */
  get apexAt(): number {
    return this.offsets[this.labelCount - this.zone!.labelCount];
  }

  /** A fact that we hold: sets TTL and staleness for the records that follow. */
  hold(mask: number): void {
    const { reply, table } = this;
    reply.isAuthoritative = true;
    reply.ttlSeconds = this.#ttlSeconds;
    if ((table.freshMask & mask) === mask) return;
    reply.ttlSeconds = Math.min(this.#ttlSeconds, MAX_STALE_TTL_SECONDS);
    reply.edeCode = EDE_STALE_ANSWER;
    reply.edeText = table.staleText;
  }

  /** The name exists and has no data of this type (RFC 2308 section 2.2). */
  nodata(mask: number): void {
    this.hold(mask);
    this.#writeSoa();
  }

  /** The name does not exist, if the kinds in `mask` are known whole; else we cannot know. */
  deny(mask: number): void {
    const { table } = this;
    if ((table.completeMask & mask) !== mask) {
      this.fail(EDE_NOT_READY);
      return;
    }
    this.#nxdomain((table.freshMask & mask) !== mask);
  }

  /** No object whatsoever could give this name: true in every state, marked while a known state is stale. */
  denyImpossible(): void {
    const { completeMask, freshMask } = this.table;
    this.#nxdomain(completeMask === MASK_ALL && freshMask !== MASK_ALL);
  }

  fail(edeCode: number): void {
    const { reply } = this;
    reply.isAuthoritative = reply.answerCount > 0;
    reply.rcode = RCODE_SERVFAIL;
    reply.edeCode = edeCode;
  }

  /** The answer to QTYPE ANY at a name that has data. */
  minimalAny(): void {
    if (!this.reply.beginRecord(this.offsets[0], TYPE_HINFO, HINFO_RFC8482.length)) return;
    this.reply.octets(HINFO_RFC8482, 0, HINFO_RFC8482.length);
  }

  writeSoaRecord(): void {
    const { reply, apexAt } = this;
    const octets = NS_DNS.length + HOSTMASTER.length + 2 * POINTER_OCTETS + SOA_NUMBERS_OCTETS;
    if (!reply.beginRecord(apexAt, TYPE_SOA, octets)) return;
    this.writeNameServerName();
    reply.octets(HOSTMASTER, 0, HOSTMASTER.length);
    reply.pointer(apexAt);
    reply.uint32(this.table.serial);
    reply.uint32(SOA_REFRESH_SECONDS);
    reply.uint32(SOA_RETRY_SECONDS);
    reply.uint32(SOA_EXPIRE_SECONDS);
    // MINIMUM equals the record's own TTL: RFC 2308 section 5 takes the lower of the two.
    reply.uint32(reply.ttlSeconds);
  }

  /** `ns.dns.<zone>` as RDATA: `NAME_SERVER_OCTETS` octets. */
  writeNameServerName(): void {
    this.reply.octets(NS_DNS, 0, NS_DNS.length);
    this.reply.pointer(this.apexAt);
  }

  #nxdomain(isStale: boolean): void {
    const { reply, table } = this;
    reply.isAuthoritative = true;
    reply.rcode = RCODE_NXDOMAIN;
    reply.ttlSeconds = this.#ttlSeconds;
    if (isStale) {
      reply.ttlSeconds = Math.min(this.#ttlSeconds, MAX_STALE_NEGATIVE_TTL_SECONDS);
      reply.edeCode = EDE_STALE_NXDOMAIN;
      reply.edeText = table.staleText;
    }
    this.#writeSoa();
  }

  #writeSoa(): void {
    this.reply.beginAuthority();
    this.writeSoaRecord();
  }
}

export const NAME_SERVER_OCTETS = NS_DNS.length + POINTER_OCTETS;
