import assert from "node:assert/strict";
import { test } from "node:test";
import { createOptRecord, extendedErrors, messageEdns, messageRcode } from "../../../src/dns/edns.ts";
import { composeMessage, isMessageError, parseMessage, type Message } from "../../../src/dns/message.ts";
import { hex, opt, packet, QUESTION } from "./packets.ts";

function read(message: Uint8Array): Message {
  const result = parseMessage(message);
  assert.ok(!isMessageError(result));
  return result;
}

test("createOptRecord() makes the record that messageEdns() reads", () => {
  const edns = { extendedRcode: 0xff, version: 1, udpPayloadOctets: 4096, dnssecOk: true, options: [] };
  const message = { id: 1, flags: 0, questions: [], answers: [], authorities: [] };
  const octets = composeMessage({ ...message, additionals: [createOptRecord(edns)] });
  assert.deepEqual([...octets.subarray(12)], hex("00 0029 1000 ff01 8000 0000"));
  assert.deepEqual(messageEdns(read(octets)), edns);
});

test("messageEdns() is undefined without an OPT record", () => {
  assert.equal(messageEdns(read(packet({}, QUESTION))), undefined);
});

test("messageRcode() adds the bits of the OPT record", () => {
  const badvers = packet(
    { flags: 0x8000, counts: [1, 0, 0, 1] },
    QUESTION,
    hex("00 0029 04d0 0100 0000 0000"),
  );
  assert.equal(messageRcode(read(badvers)), 16);
  assert.equal(messageRcode(read(packet({ flags: 0x8003 }, QUESTION))), 3);
});

test("extendedErrors() reads every EDE option and passes over what is none", () => {
  const rdata = hex(
    "000f 0002 0003  000a 0001 ff  000f 0007 0013 6f6c6400 00  000f 0001 00  000f 0004 0000 ffc3",
  );
  const edns = messageEdns(read(packet({ counts: [0, 0, 0, 1] }, opt({ rdata }))));
  assert.deepEqual(extendedErrors(edns?.options ?? []), [
    { infoCode: 3, extraText: "" },
    { infoCode: 19, extraText: "old" },
    { infoCode: 0, extraText: "\ufffd\ufffd" },
  ]);
});
