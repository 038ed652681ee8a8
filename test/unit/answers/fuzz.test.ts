/** Whatever octets come in: no exception, a reply that can be read, within its limit, soon (invariant I6). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createQuery, parseQuery } from "../../../src/dns/query.ts";
import { isMessageError, parseMessage } from "../../../src/dns/message.ts";
import { DROP, TRANSPORT_TCP, TRANSPORT_UDP, type Transport } from "../../../src/dns/transport.ts";
import { composeQuery, describeReply, parseReply } from "../../support/answer-paths-message.ts";
import { mutate, seedPackets } from "../../support/answer-paths-mutations.ts";
import { chooseSeed, seededRandom } from "../../support/answer-paths-random.ts";
import { createFuzzResponder } from "./fuzz-cluster.ts";

const MUTATIONS = 1_000_000;
/** Parsing every reply would take ten times as long as making them. */
const PARSED_SHARE = 1 / 50;
/** Five times what a call may take (invariant I6): the machine may be busy. */
const MAX_CALL_MS = 50;
/** Where a packet is cut: beyond, it is more of the same. */
const MAX_CUT_OCTETS = 1024;
const SUSPICIOUS_CALL_MS = 5;

const responder = createFuzzResponder();
const query = createQuery();
const out = new Uint8Array(65_535);

function respond(packet: Uint8Array, transport: Transport): number {
  return responder.respond(packet, packet.length, transport === TRANSPORT_UDP ? udpOut : out, transport);
}
const udpOut = out.subarray(0, 1232);

/** Time of one call. A slow one is made again: that the process was not running does not count. */
function timeCall(packet: Uint8Array, transport: Transport): number {
  let bestMs = Infinity;
  for (let left = 5; left > 0 && bestMs > SUSPICIOUS_CALL_MS; left--) {
    const startMs = performance.now();
    respond(packet, transport);
    bestMs = Math.min(bestMs, performance.now() - startMs);
  }
  return bestMs;
}

function check(packet: Uint8Array, transport: Transport): void {
  const length = respond(packet, transport);
  if (length === DROP) return;
  const shown = Buffer.from(packet).toString("hex");
  parseQuery(packet, packet.length, query);
  const limit = transport === TRANSPORT_TCP ? 65_535 : Math.min(1232, query.udpPayloadOctets);
  assert.ok(length >= 12 && length <= limit, `${length} octets, at most ${limit}: reply to ${shown}`);
  const reply = parseMessage(out.subarray(0, length));
  assert.ok(!isMessageError(reply), `${JSON.stringify(reply)}: reply to ${shown}`);
  assert.equal(reply.id, (packet[0] << 8) | packet[1], shown);
  assert.equal(reply.flags & 0x8000, 0x8000, shown);
  assert.equal(reply.flags & 0x7800, ((packet[2] & 0x78) << 8) & 0x7800, shown);
}

test("every packet of the corpora gets a reply that can be read, or none", () => {
  for (const packet of seedPackets()) {
    check(packet, TRANSPORT_UDP);
    check(packet, TRANSPORT_TCP);
  }
});

test("every packet of the corpora, cut at every octet, gets a reply that can be read, or none", (t) => {
  let packets = 0;
  for (const packet of seedPackets()) {
    for (let length = Math.min(packet.length, MAX_CUT_OCTETS); length >= 0; length--, packets++)
      check(packet.subarray(0, length), packets % 2 === 0 ? TRANSPORT_UDP : TRANSPORT_TCP);
  }
  t.diagnostic(`${packets} packets`);
  assert.ok(packets > 10_000);
});

test(`${MUTATIONS} mutated packets get replies that can be read, or none, each in time`, (t) => {
  const seed = chooseSeed();
  t.diagnostic(`SEED=${seed}`);
  const random = seededRandom(seed);
  const seeds = seedPackets();
  let slowestMs = 0;
  let dropped = 0;
  for (let count = 0; count < MUTATIONS; count++) {
    const packet = mutate(seeds, random);
    const transport = count % 4 === 0 ? TRANSPORT_TCP : TRANSPORT_UDP;
    const startMs = performance.now();
    const length = respond(packet, transport);
    const tookMs = performance.now() - startMs;
    if (tookMs > slowestMs)
      slowestMs = Math.max(slowestMs, tookMs > SUSPICIOUS_CALL_MS ? timeCall(packet, transport) : tookMs);
    if (length === DROP) dropped++;
    if (random() < PARSED_SHARE) check(packet, transport);
  }
  t.diagnostic(`slowest call ${slowestMs.toFixed(2)} ms (goal 10), ${dropped} packets dropped`);
  assert.ok(slowestMs < MAX_CALL_MS, `a call took ${slowestMs} ms`);
  assert.ok(dropped < MUTATIONS / 2, "most packets were dropped: the rest proves little");
});

test("and afterwards a query is answered as ever", () => {
  const packet = composeQuery({ query: "web.shop.svc.cluster.local. A" });
  const length = respond(packet, TRANSPORT_UDP);
  assert.deepEqual(describeReply(parseReply(out.subarray(0, length))).answer, [
    "web.shop.svc.cluster.local. 5 IN A 10.0.0.1",
  ]);
});
