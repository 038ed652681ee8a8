import type { Kind } from "../../src/model/records.ts";
import type { KindCondition } from "../support/answer-paths-table.ts";
import type { EdnsGiven, Reply } from "../support/answer-paths-message.ts";
import type { KubernetesObject } from "../support/cluster-builder.ts";

/** One question to one cluster and the whole reply, for every way in which an answer comes about. */
export interface AnswerCase {
  /** A sentence; rules of the project's DNS checklist by number where there is one. */
  readonly name: string;
  readonly given?: readonly KubernetesObject[];
  /** What is known of each kind; fresh where it is not said. */
  readonly state?: Readonly<Partial<Record<Kind, KindCondition>>>;
  readonly options?: AnswerOptions;
  /** `web.shop.svc.cluster.local. A`, or with a class: `... CH TXT`. */
  readonly query: string;
  readonly edns?: EdnsGiven;
  /** The second word of the query's header, where it is not RD alone. */
  readonly header?: number;
  /** For replies that depend on it: they are asked over this transport only. */
  readonly transport?: "udp" | "tcp";
  readonly want: WantedReply;
}

export interface AnswerOptions {
  readonly zones?: readonly string[];
  readonly ttlSeconds?: number;
  readonly pods?: "disabled" | "insecure";
  /** Whose endpoints are watched. */
  readonly endpoints?: "all" | "headless";
  readonly nameServerAddresses?: readonly string[];
}

/** `flags` are `qr aa rd ra` unless said; sections and `ede` are empty unless said. */
export type WantedReply = Partial<Omit<Reply, "rcode">> & { readonly rcode: string };

export function wholeReply(want: WantedReply): Reply {
  return { flags: "qr aa rd ra", answer: [], authority: [], additional: [], ede: [], ...want };
}

/** The SOA record of a negative reply. */
export function soa(ttl = 5, zone = "cluster.local."): string[] {
  return [`${zone} ${ttl} IN SOA ns.dns.${zone} hostmaster.${zone} SERIAL 7200 1800 86400 ${ttl}`];
}

export function nxdomain(ttl = 5, zone?: string): WantedReply {
  return { rcode: "NXDOMAIN", authority: soa(ttl, zone) };
}

export function nodata(ttl = 5, zone?: string): WantedReply {
  return { rcode: "NOERROR", authority: soa(ttl, zone) };
}

export function answer(...records: readonly string[]): WantedReply {
  return { rcode: "NOERROR", answer: records };
}

/** A failure about which the table says nothing. */
export function failure(rcode: string, ...ede: readonly number[]): WantedReply {
  return { rcode, flags: "qr rd ra", ede };
}
