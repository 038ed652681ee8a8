import { TYPE_A, TYPE_AAAA, TYPE_ANY, TYPE_NS, TYPE_SOA, TYPE_TXT } from "../dns/constants.ts";
import { equalLabels } from "../dns/name.ts";
import { parseAddressLabel } from "./address-label.ts";
import { type AnswerContext, NAME_SERVER_OCTETS } from "./answer-context.ts";
import { MASK_NAMESPACES } from "./delta.ts";
import { wireLabels } from "./labels.ts";
import type { ServiceAnswers } from "./service-answers.ts";

/** Labels with their length octet. */
const SVC = wireLabels("svc");
const POD = wireLabels("pod");
const DNS = wireLabels("dns");
const NS = wireLabels("ns");
const DNS_VERSION = wireLabels("dns-version");
/** One character-string: the version of the Kubernetes DNS specification (its section 2.2, which gives this TTL too). */
const DNS_VERSION_TEXT = wireLabels("1.1.0");
const DNS_VERSION_TTL_SECONDS = 28_800;

export interface ZoneOptions {
  readonly pods: "disabled" | "insecure";
  /** Addresses of `ns.dns.<zone>`: 4 or 16 octets each. */
  readonly nameServerAddresses: readonly Uint8Array[];
}

/**
 * The tree of a cluster zone, from the apex down: what stands where, and which names cannot exist by their shape
 * (Kubernetes DNS specification 1.1.0; RFC 8020 for the empty non-terminals).
 *
 * ```
 * <zone>                 SOA, NS
 *   dns-version          TXT
 *   ns.dns               the name server
 *   svc / <ns> / <svc> / ...        service-answers.ts
 *   pod / <ns> / <a-b-c-d>
 * ```
 */
export class ZoneAnswers {
  readonly #context: AnswerContext;
  readonly #services: ServiceAnswers;
  readonly #options: ZoneOptions;
  readonly #address = new Uint8Array(16);

  constructor(context: AnswerContext, services: ServiceAnswers, options: ZoneOptions) {
    this.#context = context;
    this.#services = services;
    this.#options = options;
  }

  /** @returns true when a CNAME was written and its target is to be answered next. */
  answer(): boolean {
    if (this.answerZoneItself()) return false;
    const { labelCount, zone } = this.#context;
    const depth = labelCount - zone!.labelCount;
    if (this.#isLabel(depth - 1, SVC)) return this.#answerSvc(depth);
    if (this.#isLabel(depth - 1, POD)) this.#answerPod(depth);
    else if (depth === 1 && this.#isLabel(0, DNS_VERSION)) this.#answerVersion();
    else this.#context.denyImpossible();
    return false;
  }

  /** What every zone has, a reverse zone too: the apex and the name server. @returns false for any other name. */
  answerZoneItself(): boolean {
    const { labelCount, zone } = this.#context;
    const depth = labelCount - zone!.labelCount;
    if (depth === 0) this.#answerApex();
    else if (this.#isLabel(depth - 1, DNS)) this.#answerDns(depth);
    else return false;
    return true;
  }

  #isLabel(index: number, expected: Uint8Array): boolean {
    const { reply, offsets } = this.#context;
    return equalLabels(expected, 0, reply.out, offsets[index], expected.length);
  }

  #answerApex(): void {
    const context = this.#context;
    const { reply } = context;
    context.hold(0);
    if (context.qtype === TYPE_SOA) context.writeSoaRecord();
    else if (context.qtype === TYPE_NS) this.#writeNs();
    else if (context.qtype === TYPE_ANY) context.minimalAny();
    else context.nodata(0);
    reply.isAuthoritative = true;
  }

  #writeNs(): void {
    const context = this.#context;
    if (!context.reply.beginRecord(context.apexAt, TYPE_NS, NAME_SERVER_OCTETS)) return;
    const targetAt = context.reply.at;
    context.writeNameServerName();
    context.reply.beginAdditional();
    this.#writeNameServerAddresses(targetAt, TYPE_A);
    this.#writeNameServerAddresses(targetAt, TYPE_AAAA);
  }

  #writeNameServerAddresses(ownerAt: number, rrtype: number): void {
    const { reply } = this.#context;
    for (const address of this.#options.nameServerAddresses) {
      if (address.length !== (rrtype === TYPE_A ? 4 : 16)) continue;
      if (!reply.beginRecord(ownerAt, rrtype, address.length)) return;
      reply.octets(address, 0, address.length);
    }
  }

  #answerDns(depth: number): void {
    const context = this.#context;
    if (depth === 1) {
      context.nodata(0);
      return;
    }
    if (depth > 2 || !this.#isLabel(0, NS)) {
      context.denyImpossible();
      return;
    }
    context.hold(0);
    if (context.qtype === TYPE_ANY) context.minimalAny();
    if (context.qtype === TYPE_A || context.qtype === TYPE_AAAA) {
      this.#writeNameServerAddresses(context.offsets[0], context.qtype);
    }
    if (!context.isAnswered && !context.reply.isTruncated) context.nodata(0);
  }

  #answerVersion(): void {
    const context = this.#context;
    context.hold(0);
    if (context.qtype === TYPE_ANY) context.minimalAny();
    else if (context.qtype === TYPE_TXT) {
      context.reply.ttlSeconds = DNS_VERSION_TTL_SECONDS;
      if (!context.reply.beginRecord(context.offsets[0], TYPE_TXT, DNS_VERSION_TEXT.length)) return;
      context.reply.octets(DNS_VERSION_TEXT, 0, DNS_VERSION_TEXT.length);
    } else context.nodata(0);
  }

  #answerSvc(depth: number): boolean {
    if (depth === 1) this.#context.nodata(0);
    else if (depth === 2) this.#answerNamespace();
    // `_port._proto.<svc>.<ns>.svc` is the longest name there is.
    else if (depth <= 5) return this.#services.answer(depth - 3);
    else this.#context.denyImpossible();
    return false;
  }

  /** `<ns>.svc` and `<ns>.pod`: empty non-terminals. */
  #answerNamespace(): void {
    const { table, reply, offsets } = this.#context;
    if (table.namespaces.has(reply.out, offsets[0])) this.#context.nodata(MASK_NAMESPACES);
    else this.#context.deny(MASK_NAMESPACES);
  }

  /** Made from the name alone, as kubeadm's `pods insecure` serves them; not in specification 1.1.0, yet in use. */
  #answerPod(depth: number): void {
    const context = this.#context;
    if (depth === 1) {
      context.nodata(0);
      return;
    }
    if (this.#options.pods === "disabled" || depth > 3) {
      context.denyImpossible();
      return;
    }
    if (depth === 2) {
      this.#answerNamespace();
      return;
    }
    const { out } = context.reply;
    const labelAt = context.offsets[0];
    const octets = parseAddressLabel(out, labelAt + 1, out[labelAt], this.#address);
    if (octets === 0) context.denyImpossible();
    else if (context.table.namespaces.has(out, context.offsets[1])) this.#writePod(octets);
    else context.deny(MASK_NAMESPACES);
  }

  #writePod(octets: number): void {
    const context = this.#context;
    context.hold(MASK_NAMESPACES);
    if (context.qtype === TYPE_ANY) context.minimalAny();
    else if (context.qtype === (octets === 4 ? TYPE_A : TYPE_AAAA)) {
      if (context.reply.beginRecord(context.offsets[0], context.qtype, octets)) {
        context.reply.octets(this.#address, 0, octets);
      }
    } else context.nodata(MASK_NAMESPACES);
  }
}
