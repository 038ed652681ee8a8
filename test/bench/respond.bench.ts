/**
 * `respond()` alone on one thread: 10,000 Services, names asked at random, 60 % A, 20 % AAAA of Services with IPv4 (NODATA) and
 * 20 % names that do not exist.
 *
 *     node --expose-gc test/bench/respond.bench.ts
 */
import { AnswerTable } from "../../src/answers/answer-table.ts";
import { DeltaApplier } from "../../src/answers/apply-delta.ts";
import { Compiler } from "../../src/answers/compile.ts";
import { DeltaWriter } from "../../src/answers/delta.ts";
import { Responder } from "../../src/answers/responder.ts";
import { TRANSPORT_UDP } from "../../src/dns/transport.ts";
import { Model } from "../../src/model/model.ts";
import { KINDS } from "../../src/model/records.ts";
import { composeQuery } from "../support/answer-paths-message.ts";
import { seededRandom } from "../support/answer-paths-random.ts";

const SERVICES = 10_000;
const NAMESPACES = 100;
const SEED = 1;
const PACKETS = 16_384;
const QUERIES_PER_ROUND = 2_000_000;
const ROUNDS = 7;
const GOAL_QUERIES_PER_SECOND = 1_500_000;

function createTable(): AnswerTable {
  const model = new Model();
  for (let index = 0; index < NAMESPACES; index++) {
    model.upsert("namespaces", { kind: "Namespace", name: `namespace-${index}` });
  }
  for (let index = 0; index < SERVICES; index++) {
    model.upsert("services", {
      kind: "Service",
      namespace: `namespace-${index % NAMESPACES}`,
      name: `service-${index}`,
      type: "ClusterIP",
      clusterIPs: [`10.96.${index >> 8}.${index & 255}`],
      externalName: "",
      ports: [{ name: "http", protocol: "TCP", port: 80 }],
    });
  }
  const table = new AnswerTable();
  const applier = new DeltaApplier(table);
  for (const delta of new Compiler(model, false).all()) applier.apply(delta);
  const states = new DeltaWriter();
  for (const kind of KINDS) states.kindState(kind, true, true);
  applier.apply(states.take());
  return table;
}

function createPackets(): Uint8Array[] {
  const random = seededRandom(SEED);
  return Array.from({ length: PACKETS }, () => {
    const share = random();
    const index = Math.floor(random() * SERVICES);
    const name = share < 0.8 ? `service-${index}` : `missing-${index}`;
    const qtype = share >= 0.6 && share < 0.8 ? "AAAA" : "A";
    return composeQuery({ query: `${name}.namespace-${index % NAMESPACES}.svc.cluster.local. ${qtype}` });
  });
}

/** @returns Octets of all replies: a result that cannot be optimised away. */
function run(responder: Responder, packets: readonly Uint8Array[], out: Uint8Array): number {
  let octets = 0;
  for (let count = 0; count < QUERIES_PER_ROUND; count++) {
    const packet = packets[count & (PACKETS - 1)];
    octets += responder.respond(packet, packet.length, out, TRANSPORT_UDP);
  }
  return octets;
}

const collectGarbage = globalThis.gc;
if (collectGarbage === undefined) throw new Error("Cannot measure allocation: run with node --expose-gc");

const responder = new Responder(createTable(), {
  zones: ["cluster.local"],
  ttlSeconds: 5,
  pods: "insecure",
  tracksAllEndpoints: false,
  nameServerAddresses: [],
});
const packets = createPackets();
const out = new Uint8Array(1232);
let octets = run(responder, packets, out);

const rates: number[] = [];
const heapBytes: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  collectGarbage();
  const heapBefore = process.memoryUsage().heapUsed;
  const startMs = performance.now();
  octets += run(responder, packets, out);
  const tookMs = performance.now() - startMs;
  // Nothing was collected in between, or it would show below zero.
  heapBytes.push((process.memoryUsage().heapUsed - heapBefore) / QUERIES_PER_ROUND);
  rates.push((QUERIES_PER_ROUND / tookMs) * 1000);
}

const median = rates.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)];
const leastHeap = Math.max(0, Math.min(...heapBytes));
console.log(
  `respond(): ${(median / 1e6).toFixed(2)} M queries/s (median of ${ROUNDS}, best ${(Math.max(...rates) / 1e6).toFixed(2)}; goal ${GOAL_QUERIES_PER_SECOND / 1e6}), ` +
    `${leastHeap.toFixed(3)} heap bytes per query (goal 0), ${Math.round(octets / (QUERIES_PER_ROUND * (ROUNDS + 1)))} octets a reply, ` +
    `${SERVICES} Services, Node ${process.version}`,
);
