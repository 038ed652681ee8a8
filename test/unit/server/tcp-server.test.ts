import assert from "node:assert/strict";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import * as fc from "fast-check";
import { DROP } from "../../../src/dns/transport.ts";
import type { QueryHandler } from "../../../src/server/query-handler.ts";
import { MAX_QUERIES_PER_CONNECTION, MAX_UNSENT_OCTETS } from "../../../src/server/tcp-connection.ts";
import {
  IDLE_TIMEOUT_MS,
  MAX_CONNECTIONS,
  MAX_CONNECTIONS_PER_CLIENT,
  MIN_IDLE_FOR_EVICTION_MS,
} from "../../../src/server/tcp-connections.ts";
import { QUERIES_PER_TURN } from "../../../src/server/turn-share.ts";
import { composeQuery, exchangeUdp, messageId, TcpClient, withLength } from "../../support/dns-client.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { echo, loopback, replyOf, startServer, type TestServer } from "./test-server.ts";

async function connectTo(t: TestContext, { at }: TestServer, localAddress?: string): Promise<TcpClient> {
  const client = await TcpClient.open(at[0], localAddress);
  t.after(() => client.close());
  return client;
}

function queries(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, id) => composeQuery(`n${id}.test`, 1, id));
}

async function receiveIds(client: TcpClient, count: number): Promise<number[]> {
  const ids: number[] = [];
  while (ids.length < count) ids.push(messageId(await client.receive()));
  return ids.sort((a, b) => a - b);
}

function idsUpTo(count: number): number[] {
  return Array.from({ length: count }, (_, id) => id);
}

/** Resolves once the server has taken this connection and answered on it. */
async function roundTrip(client: TcpClient): Promise<void> {
  client.send(composeQuery("a.test"));
  await client.receive();
}

for (const address of ["127.0.0.1", "::1"]) {
  test(`TCP: many queries on one connection, IPv${address === "::1" ? 6 : 4}`, async (t) => {
    const server = await startServer(t, { listen: [loopback(0, address)] });
    const client = await connectTo(t, server);
    for (const query of queries(5)) {
      client.send(query);
      assert.equal(messageId(await client.receive()), messageId(query));
    }
    assert.equal(server.meters.tcpConnectionsOpen, 1);
    assert.equal(server.meters.tcpQueries, 5);
  });
}

test("TCP: 100 pipelined queries, cut anywhere, all get replies", async (t) => {
  const server = await startServer(t);
  const stream = Buffer.concat(queries(100).map(withLength));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(stream.length), { maxLength: 30 }), async (cuts) => {
      const client = await TcpClient.open(server.at[0]);
      let from = 0;
      for (const cut of [...cuts.sort((a, b) => a - b), stream.length]) {
        // Each write is flushed before the next, so segments differ from run to run; no result depends on it.
        await new Promise((resolve) => client.socket.write(stream.subarray(from, cut), resolve));
        from = cut;
      }
      assert.deepEqual(await receiveIds(client, 100), idsUpTo(100));
      client.close();
      await client.closed;
    }),
    { numRuns: 20 },
  );
});

test("TCP: a reply and its length leave in one segment", async (t) => {
  const server = await startServer(t, { handler: replyOf(500) });
  const client = await connectTo(t, server);
  const chunks: number[] = [];
  client.socket.on("data", (octets) => chunks.push(octets.length));
  await roundTrip(client);
  assert.deepEqual(chunks, [502]);
});

test("TCP: a reply of 65535 octets", async (t) => {
  const client = await connectTo(t, await startServer(t, { handler: replyOf(65535) }));
  client.send(composeQuery("a.test"));
  assert.equal((await client.receive()).length, 65535);
});

test("TCP: a client that half-closes behind its queries gets every reply, then the end", async (t) => {
  const server = await startServer(t, { handler: replyOf(3000) });
  const client = await connectTo(t, server);
  client.socket.end(Buffer.concat(queries(200).map(withLength)));
  assert.deepEqual(await receiveIds(client, 200), idsUpTo(200));
  assert.equal(await client.closed, false);
  await server.server.stop();
  assert.equal(server.meters.tcpConnectionsOpen, 0);
});

/** Treats the query with the ID 0 in its own way, and echoes the others. */
function exceptFirst(first: () => number): QueryHandler {
  return (query, length, out, transport) =>
    messageId(query) === 0 ? first() : echo(query, length, out, transport);
}

test("TCP: no reply where none is due, and the connection goes on", async (t) => {
  const server = await startServer(t, { handler: exceptFirst(() => DROP) });
  const client = await connectTo(t, server);
  for (const query of queries(2)) client.send(query);
  assert.equal(messageId(await client.receive()), 1);
  assert.equal(server.meters.tcpDropped, 1);
});

test("TCP: a handler that throws costs one query, not the connection", async (t) => {
  const handler = exceptFirst(() => {
    throw new Error("broken");
  });
  const server = await startServer(t, { handler });
  const client = await connectTo(t, server);
  for (const query of queries(2)) client.send(query);
  assert.equal(messageId(await client.receive()), 1);
  assert.equal(server.meters.failures, 1);
});

const MALFORMED = [
  { name: "of no octets", octets: [0, 0] },
  { name: "shorter than a header", octets: [0, 11, ...Buffer.alloc(11)] },
];
for (const { name, octets } of MALFORMED) {
  test(`TCP: a message ${name} closes its connection only, behind the replies before it`, async (t) => {
    const server = await startServer(t);
    const [bad, good] = [await connectTo(t, server), await connectTo(t, server)];
    bad.socket.write(Buffer.concat([withLength(composeQuery("a.test", 1, 5)), Buffer.from(octets)]));
    assert.equal(messageId(await bad.receive()), 5);
    await assert.rejects(bad.receive());
    await roundTrip(good);
    assert.equal(server.meters.tcpConnectionsMalformed, 1);
  });
}

test("TCP: a stream of garbage does not disturb another connection", async (t) => {
  const server = await startServer(t);
  const [bad, good] = [await connectTo(t, server), await connectTo(t, server)];
  // No length in it is below 12, so it is one stream of useless messages.
  bad.socket.write(Buffer.alloc(300_000, 0x47));
  for (const query of queries(20)) {
    good.send(query);
    assert.equal(messageId(await good.receive()), messageId(query));
  }
});

test("TCP: an idle connection is closed after the timeout", async (t) => {
  const clock = new FakeClock();
  const server = await startServer(t, { clock });
  const client = await connectTo(t, server);
  await roundTrip(client);
  clock.advance(IDLE_TIMEOUT_MS - 1);
  await roundTrip(client);
  clock.advance(IDLE_TIMEOUT_MS - 1);
  await roundTrip(client);
  clock.advance(IDLE_TIMEOUT_MS + 1000);
  await assert.rejects(client.receive());
  assert.equal(server.meters.tcpConnectionsTimedOut, 1);
});

test("TCP: a slow drip of octets does not keep a connection alive", async (t) => {
  const clock = new FakeClock();
  const server = await startServer(t, { clock });
  const client = await connectTo(t, server);
  await roundTrip(client);
  const drip = withLength(new Uint8Array(500));
  for (let seconds = 0; seconds < 12; seconds++) {
    client.socket.write(drip.subarray(seconds, seconds + 1));
    await exchangeUdp(server.at[0], composeQuery("turn.test"));
    clock.advance(1000);
  }
  await client.closed;
  assert.equal(server.meters.tcpConnectionsTimedOut, 1);
});

test("TCP: one client has at most so many connections; its oldest idle one gives way, young ones do not", async (t) => {
  const clock = new FakeClock();
  const server = await startServer(t, { clock });
  const oldest = await connectTo(t, server, "127.0.0.9");
  await roundTrip(oldest);
  const clients: TcpClient[] = [];
  for (let count = 0; count < MAX_CONNECTIONS_PER_CLIENT; count++) {
    clients.push(await connectTo(t, server));
    await roundTrip(clients[count]);
  }
  const rejected = await connectTo(t, server);
  await assert.rejects(rejected.receive());
  assert.equal(server.meters.tcpConnectionsRejected, 1);

  clock.advance(MIN_IDLE_FOR_EVICTION_MS);
  await roundTrip(clients[0]);
  await roundTrip(await connectTo(t, server));
  await assert.rejects(clients[1].receive());
  assert.equal(server.meters.tcpConnectionsEvicted, 1);
  await roundTrip(clients[0]);
  await roundTrip(oldest);
});

test("TCP: 1,000 idle connections keep to the limit; UDP and new connections are served", async (t) => {
  const clock = new FakeClock();
  const server = await startServer(t, { clock });
  for (let count = 0; count < 1000; count++) {
    const client = await connectTo(t, server, `127.0.1.${1 + (count % 100)}`);
    client.socket.write(Uint8Array.of(0));
    clock.advance(5);
  }
  await exchangeUdp(server.at[0], composeQuery("a.test"));
  assert.ok(server.meters.tcpConnectionsOpen <= MAX_CONNECTIONS);
  await roundTrip(await connectTo(t, server, "127.0.2.1"));
  assert.equal(server.meters.tcpConnectionsRejected, 0);
  const { tcpConnectionsAccepted, tcpConnectionsEvicted, tcpConnectionsOpen, tcpConnectionsTimedOut } =
    server.meters;
  assert.equal(tcpConnectionsAccepted, 1001);
  assert.equal(tcpConnectionsEvicted + tcpConnectionsTimedOut + tcpConnectionsOpen, 1001);
});

test("TCP: a client that takes no replies is not read from; when it does, it gets all, also behind its FIN", async (t) => {
  const server = await startServer(t, { handler: replyOf(60_000) });
  const other = await connectTo(t, server);
  const client = await connectTo(t, server);
  client.socket.pause();
  const count = 2000;
  client.socket.end(Buffer.concat(queries(count).map(withLength)));
  // Its replies (120 MB) never fit into the kernel's buffers, so the count stands still once the server waits.
  let before = -1;
  while (server.meters.tcpQueries !== before) {
    before = server.meters.tcpQueries;
    for (let turn = 0; turn < 50; turn++) await exchangeUdp(server.at[0], composeQuery("turn.test"));
  }
  assert.ok(before > 0 && before < count / 2, `${before} of ${count} were answered`);
  await roundTrip(other);
  client.socket.resume();
  assert.deepEqual(await receiveIds(client, count), idsUpTo(count));
  assert.equal(await client.closed, false);
});

test("TCP: segments full of queries from many connections do not fill a turn of the event loop", async (t) => {
  let inThisTurn = 0;
  let most = 0;
  const handler: QueryHandler = (query, length, out, transport) => {
    if (inThisTurn++ === 0) setImmediate(() => (inThisTurn = 0));
    most = Math.max(most, inThisTurn);
    return echo(query, length, out, transport);
  };
  const server = await startServer(t, { handler });
  const perClient = 500;
  const stream = Buffer.concat(queries(perClient).map(withLength));
  const clients: TcpClient[] = [];
  for (let count = 0; count < 60; count++) {
    clients.push(await connectTo(t, server, `127.0.4.${1 + (count % 4)}`));
  }
  for (const client of clients) client.socket.write(stream);
  for (const client of clients) assert.deepEqual(await receiveIds(client, perClient), idsUpTo(perClient));
  // What the end of one turn and the begin of the next may answer together.
  assert.ok(most <= 2 * QUERIES_PER_TURN, `${most} in one turn`);
});

test("TCP: a connection with much to ask does not keep another waiting", async (t) => {
  const server = await startServer(t);
  const busy = await connectTo(t, server);
  const modest = await connectTo(t, server);
  busy.socket.write(Buffer.concat(queries(5000).map(withLength)));
  await roundTrip(modest);
  const answered = server.meters.tcpQueries;
  assert.ok(answered < 1500, `${answered} came first`);
  assert.deepEqual(await receiveIds(busy, 5000), idsUpTo(5000));
});

test("TCP: a connection ends behind its last allowed query, with every reply", async (t) => {
  const server = await startServer(t);
  const client = await connectTo(t, server);
  client.socket.write(Buffer.concat(queries(MAX_QUERIES_PER_CONNECTION + 50).map(withLength)));
  assert.deepEqual(await receiveIds(client, MAX_QUERIES_PER_CONNECTION), idsUpTo(MAX_QUERIES_PER_CONNECTION));
  await assert.rejects(client.receive());
  await roundTrip(await connectTo(t, server));
});

test("TCP: a connection reset in the middle of a reply leaves nothing behind", async (t) => {
  const server = await startServer(t, { handler: replyOf(MAX_UNSENT_OCTETS - 1) });
  const client = await connectTo(t, server);
  client.socket.pause();
  client.socket.write(Buffer.concat(queries(100).map(withLength)), () => client.socket.resetAndDestroy());
  await once(client.socket, "close");
  const other = await connectTo(t, server);
  await roundTrip(other);
  other.close();
  await server.server.stop();
  assert.equal(server.meters.tcpConnectionsOpen, 0);
});
