import assert from "node:assert/strict";
import { test } from "node:test";
import { composeQuery, exchangeUdp, messageId, UdpClient } from "../../support/dns-client.ts";
import { loopback, startServer } from "./test-server.ts";

test("UDP: every query gets its own reply", async (t) => {
  const { at, meters } = await startServer(t);
  const client = await UdpClient.open();
  t.after(() => client.close());
  await Promise.all(
    Array.from({ length: 100 }, (_, id) => client.send(at[0], composeQuery(`n${id}.test`, 1, id))),
  );
  for (let id = 0; id < 100; id++) {
    const { message } = await client.receive();
    const query = composeQuery(`n${messageId(message)}.test`, 1, messageId(message));
    query[2] |= 0x80;
    assert.deepEqual(new Uint8Array(message), query);
  }
  assert.equal(meters.udpQueries, 100);
});

test("UDP: the reply comes from the address and port that was asked", async (t) => {
  const listen = [loopback(0, "127.0.0.1"), loopback(0, "127.0.0.2"), loopback(0, "::1")];
  const { at } = await startServer(t, { listen });
  for (const address of at) {
    const client = await UdpClient.open(address.family);
    await client.send(address, composeQuery("a.test"));
    assert.deepEqual((await client.receive()).from, address);
    client.close();
  }
});

test("UDP: a handler that throws costs one query, not the server", async (t) => {
  const { at, meters } = await startServer(t, {
    handler: (query, length, out) => {
      if (messageId(query) === 1) throw new Error("broken");
      out.set(query);
      return length;
    },
  });
  const client = await UdpClient.open();
  t.after(() => client.close());
  await client.send(at[0], composeQuery("a.test", 1, 1));
  await client.send(at[0], composeQuery("a.test", 1, 2));
  assert.equal(messageId((await client.receive()).message), 2);
  assert.equal(meters.failures, 1);
});

test("UDP: datagrams of any length reach the handler, also empty ones", async (t) => {
  const lengths: number[] = [];
  const { at } = await startServer(t, {
    handler: (query, length, out) => {
      lengths.push(length);
      out.set(query.subarray(0, Math.min(length, 512)));
      return 12;
    },
  });
  for (const length of [0, 1, 11, 12, 65507]) await exchangeUdp(at[0], new Uint8Array(length));
  assert.deepEqual(lengths, [0, 1, 11, 12, 65507]);
});
