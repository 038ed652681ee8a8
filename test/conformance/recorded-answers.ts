/** The answers of CoreDNS in `test/fixtures/conformance` (origin: the README there), and ours to the same questions. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Responder } from "../../src/answers/responder.ts";
import { parseIpAddress } from "../../src/model/ip-address.ts";
import { TRANSPORT_TCP, TRANSPORT_UDP } from "../../src/dns/transport.ts";
import {
  composeQuery,
  describeReply,
  inAnyOrder,
  maskSerial,
  parseReply,
  type Reply,
} from "../support/answer-paths-message.ts";
import { ALL_FRESH, compiledTable, toRecords } from "../support/answer-paths-table.ts";
import type { KubernetesObject } from "../support/cluster-builder.ts";

const FOLDER = join(import.meta.dirname, "../fixtures/conformance");

export interface RecordedCase {
  readonly qname: string;
  readonly qtype: string;
  readonly rcode: string;
  /** `QR AA RD`. */
  readonly flags: string;
  readonly answer?: readonly string[];
  readonly authority?: readonly string[];
  readonly additional?: readonly string[];
  readonly edns?: number;
  readonly tcp?: boolean;
}

interface Fixture {
  readonly namespaces: readonly object[];
  readonly services: readonly object[];
  readonly endpointslices: readonly object[];
}

export interface Settings {
  readonly zones: readonly string[];
  readonly pods: "disabled" | "insecure";
  readonly ttlSeconds: number;
}

export function readRecordedCases(file: string): readonly RecordedCase[] {
  return (readJson(file) as { cases: RecordedCase[] }).cases;
}

/** What CoreDNS said, in the form of `describeReply`. */
export function recordedReply(recorded: RecordedCase): Reply {
  const { rcode, flags, answer = [], authority = [], additional = [] } = recorded;
  return inAnyOrder({ rcode, flags: flags.toLowerCase(), answer, authority, additional, ede: [] });
}

/** Asks an answer table that holds the fixture's objects, endpoints of all Services included. */
export function createAnswerer(settings: Settings): (recorded: RecordedCase) => Reply {
  const table = compiledTable({
    records: toRecords(fixtureObjects()),
    conditions: ALL_FRESH,
    tracksAllEndpoints: true,
  });
  const responder = new Responder(table, {
    ...settings,
    tracksAllEndpoints: true,
    // Where the fixture's kube-dns listens.
    nameServerAddresses: [parseIpAddress("10.96.0.10")!],
  });
  const out = new Uint8Array(65_535);
  return ({ qname, qtype, edns, tcp }) => {
    const query = composeQuery({
      query: `${qname} ${qtype}`,
      ...(edns === undefined ? {} : { edns: { size: edns } }),
    });
    const length = responder.respond(query, query.length, out, tcp === true ? TRANSPORT_TCP : TRANSPORT_UDP);
    const reply = describeReply(parseReply(out.subarray(0, length)));
    return inAnyOrder({ ...reply, answer: reply.answer.map(maskSerial) });
  };
}

function fixtureObjects(): KubernetesObject[] {
  const { namespaces, services, endpointslices } = readJson("fixture.json") as Fixture;
  return [
    ...ofKind("Namespace", namespaces),
    ...ofKind("Service", services),
    ...ofKind("EndpointSlice", endpointslices),
  ];
}

/** Lists leave out the kind of their items. */
function ofKind(kind: KubernetesObject["kind"], objects: readonly object[]): KubernetesObject[] {
  return objects.map((object) => ({ ...(object as KubernetesObject), kind }));
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(FOLDER, file), "utf8"));
}
