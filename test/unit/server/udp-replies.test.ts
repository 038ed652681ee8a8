import assert from "node:assert/strict";
import { test } from "node:test";
import { DROP } from "../../../src/dns/transport.ts";
import type { QueryHandler } from "../../../src/server/query-handler.ts";
import { MAX_QUEUED_REPLIES, UdpReplies, type ReplySocket } from "../../../src/server/udp-replies.ts";
import { composeQuery, messageId } from "../../support/dns-client.ts";
import { createContext, echo } from "./test-server.ts";

/** Keeps a reference to what is sent, as `dgram` does while the kernel's buffer is full. */
class SlowSocket implements ReplySocket {
  readonly sent: { octets: Uint8Array; port: number; address: string }[] = [];
  isFull = false;
  queued = 0;
  error: Error | null = null;
  callbacks = 0;

  send(...[octets, offset, length, port, address, callback]: Parameters<ReplySocket["send"]>): void {
    this.sent.push({ octets: octets.subarray(offset, offset + length), port, address });
    if (this.isFull) this.queued++;
    if (callback === undefined) return;
    this.callbacks++;
    callback(this.error);
  }

  getSendQueueCount(): number {
    return this.queued;
  }
}

function setUp(handler: QueryHandler = echo) {
  const socket = new SlowSocket();
  const context = createContext({ handler });
  const replies = new UdpReplies(socket, context);
  const ask = (id: number, port = 4000): void =>
    replies.answer(composeQuery("a.example", 1, id), port, "192.0.2.1");
  return { socket, ask, meters: context.meters, log: context.log };
}

test("UdpReplies sends to where the query came from and counts by RCODE", () => {
  const { socket, ask, meters } = setUp((query, length, out, transport) => {
    const octets = echo(query, length, out, transport);
    out[2] |= 0x02;
    out[3] = 3;
    return octets;
  });
  ask(7);
  assert.deepEqual(
    socket.sent.map(({ port, address, octets }) => ({ port, address, id: messageId(octets) })),
    [{ port: 4000, address: "192.0.2.1", id: 7 }],
  );
  assert.equal(meters.udpQueries, 1);
  assert.equal(meters.udpTruncated, 1);
  assert.equal(meters.responsesByRcode[3], 1);
});

test("UdpReplies never overwrites a reply that waits for the network", () => {
  const { socket, ask } = setUp();
  ask(1);
  socket.isFull = true;
  for (let id = 2; id <= 20; id++) ask(id);
  socket.isFull = false;
  socket.queued = 0;
  ask(21);
  ask(22);
  // The first and the last two were with the kernel before the next was written.
  const waiting = socket.sent.slice(1, 20).map(({ octets }) => messageId(octets));
  assert.deepEqual(
    waiting,
    Array.from({ length: 19 }, (_, index) => index + 2),
  );
});

test("UdpReplies bounds the replies that wait", () => {
  const { socket, ask, meters } = setUp();
  socket.isFull = true;
  for (let id = 0; id < MAX_QUEUED_REPLIES + 10; id++) ask(id);
  assert.equal(socket.queued, MAX_QUEUED_REPLIES);
  assert.equal(meters.udpSendQueueOverflows, 10);
  socket.queued = 0;
  ask(1);
  assert.equal(socket.sent.length, MAX_QUEUED_REPLIES + 1);
});

test("UdpReplies never answers source port 0", () => {
  const { socket, ask, meters } = setUp();
  ask(1, 0);
  assert.equal(socket.sent.length, 0);
  assert.equal(meters.udpDropped, 1);
});

test("UdpReplies sends nothing where no reply is due", () => {
  const { socket, ask, meters } = setUp(() => DROP);
  ask(1);
  assert.equal(socket.sent.length, 0);
  assert.equal(meters.udpDropped, 1);
});

test("UdpReplies survives a handler that throws and logs ever more rarely", () => {
  const { socket, ask, meters, log } = setUp(() => {
    throw new Error("broken");
  });
  for (let id = 0; id < 100; id++) ask(id);
  assert.equal(socket.sent.length, 0);
  assert.equal(meters.failures, 100);
  assert.equal(log.messages("error").length, 7);
});

test("UdpReplies samples send errors, and counts each while they last", () => {
  const { socket, ask, meters } = setUp();
  for (let id = 0; id < 640; id++) ask(id);
  assert.equal(socket.callbacks, 10);
  socket.error = new Error("send EPERM");
  for (let id = 0; id < 200; id++) ask(id);
  assert.ok(meters.udpSendErrors > 130, `${meters.udpSendErrors} of 200 were counted`);
  socket.error = null;
  socket.callbacks = 0;
  for (let id = 0; id < 640; id++) ask(id);
  assert.ok(socket.callbacks < 20, `${socket.callbacks} callbacks after recovery`);
});
