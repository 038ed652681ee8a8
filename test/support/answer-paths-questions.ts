/** All questions that a small cluster can make a difference to, and what a table says to each. */
import type { AnswerTable } from "../../src/answers/answer-table.ts";
import { Responder } from "../../src/answers/responder.ts";
import { TRANSPORT_TCP } from "../../src/dns/transport.ts";
import { composeQuery, describeReply, inAnyOrder, parseReply } from "./answer-paths-message.ts";

export interface Universe {
  readonly namespaces: readonly string[];
  readonly services: readonly string[];
  /** Labels in front of a Service: hostnames, dashed addresses, `_port._proto`. */
  readonly below: readonly string[];
  /** Reverse names without the final dot. */
  readonly reverseNames: readonly string[];
}

export interface Asked {
  readonly query: string;
  readonly packet: Uint8Array;
}

const QTYPES = ["A", "AAAA", "SRV"];

export function questionsOf(universe: Universe): Asked[] {
  const { namespaces, services, below, reverseNames } = universe;
  const names = namespaces.flatMap((namespace) => [
    `${namespace}.svc.cluster.local.`,
    ...services.flatMap((service) =>
      ["", ...below.map((label) => `${label}.`)].map(
        (prefix) => `${prefix}${service}.${namespace}.svc.cluster.local.`,
      ),
    ),
  ]);
  return [
    ...names.flatMap((name) => QTYPES.map((qtype) => `${name} ${qtype}`)),
    ...reverseNames.map((name) => `${name}. PTR`),
  ].map((query) => ({ query, packet: composeQuery({ query, edns: {} }) }));
}

/** @returns The replies of a fresh responder over TCP, where nothing is cut. */
export function repliesOf(
  table: AnswerTable,
  questions: readonly Asked[],
  tracksAllEndpoints: boolean,
): Uint8Array[] {
  const responder = new Responder(table, {
    zones: ["cluster.local", "in-addr.arpa", "ip6.arpa"],
    ttlSeconds: 5,
    pods: "insecure",
    tracksAllEndpoints,
    nameServerAddresses: [],
  });
  const out = new Uint8Array(65_535);
  return questions.map(({ packet }) =>
    out.slice(0, responder.respond(packet, packet.length, out, TRANSPORT_TCP)),
  );
}

/**
 * The questions that two tables answer otherwise, with both answers. Octets are compared first; where they differ, RRsets as
 * sets: an index may hold the Services of one address in any order.
 */
export function differencesOf(
  questions: readonly Asked[],
  left: readonly Uint8Array[],
  right: readonly Uint8Array[],
): string[] {
  return questions.flatMap(({ query }, index) => {
    if (Buffer.compare(left[index], right[index]) === 0) return [];
    const [a, b] = [left[index], right[index]].map((bytes) =>
      JSON.stringify(inAnyOrder(describeReply(parseReply(bytes)))),
    );
    return a === b ? [] : [`${query}\n  ${a}\n  ${b}`];
  });
}
