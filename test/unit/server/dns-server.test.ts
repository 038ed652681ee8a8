import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { test, type TestContext } from "node:test";
import type { SocketAddress } from "../../../src/base/socket-address.ts";
import { DnsServer } from "../../../src/server/dns-server.ts";
import { CHECK_INTERVAL_MS } from "../../../src/server/listen-address.ts";
import {
  composeQuery,
  exchangeTcp,
  exchangeUdp,
  messageId,
  TcpClient,
  UdpClient,
} from "../../support/dns-client.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { createContext, loopback, replyOf, startServer, stopServer } from "./test-server.ts";

const QUERY = composeQuery("a.test");

/** A UDP socket of somebody who shares with nobody. */
async function occupyUdp(t: TestContext): Promise<{ at: SocketAddress; leave: () => Promise<unknown> }> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  let isOpen = true;
  const leave = (): Promise<unknown> => {
    if (!isOpen) return Promise.resolve();
    isOpen = false;
    socket.close();
    return once(socket, "close");
  };
  t.after(leave);
  return { at: loopback(socket.address().port), leave };
}

async function findFreePort(t: TestContext): Promise<SocketAddress> {
  const { at, leave } = await occupyUdp(t);
  await leave();
  return at;
}

test("DnsServer serves UDP and TCP on every address", async (t) => {
  const listen = [loopback(0, "127.0.0.1"), loopback(0, "127.0.0.2"), loopback(0, "::1")];
  const { at, server } = await startServer(t, { listen });
  for (const address of at) {
    assert.equal(messageId(await exchangeUdp(address, QUERY)), messageId(QUERY));
    assert.equal(messageId(await exchangeTcp(address, QUERY)), messageId(QUERY));
  }
  assert.deepEqual(
    server
      .status()
      .map(({ transport, address, isOpen, problem }) => ({ transport, address, isOpen, problem })),
    at.flatMap((address) => [
      { transport: "udp", address, isOpen: true, problem: "" },
      { transport: "tcp", address, isOpen: true, problem: "" },
    ]),
  );
});

test("DnsServer says which port is taken, serves the rest, and takes the port when it is free", async (t) => {
  const clock = new FakeClock();
  const { at: taken, leave } = await occupyUdp(t);
  const { server, log, at } = await startServer(t, { listen: [taken, loopback(0, "127.0.0.2")], clock });
  const [udp, tcp] = server.status();
  assert.equal(udp.isOpen, false);
  assert.match(
    udp.problem,
    new RegExp(`^Cannot listen on 127\\.0\\.0\\.1:${taken.port}/udp: another process`),
  );
  assert.equal(tcp.isOpen, true);
  await exchangeTcp(taken, QUERY);
  await exchangeUdp(at[1], QUERY);

  clock.advance(CHECK_INTERVAL_MS);
  clock.advance(CHECK_INTERVAL_MS);
  assert.deepEqual(log.messages("error"), ["not listening"]);

  await leave();
  const listening = log.next("listening");
  await clock.advanceAsync(CHECK_INTERVAL_MS);
  await listening;
  assert.equal(server.status()[0].isOpen, true);
  await exchangeUdp(taken, QUERY);
});

test("DnsServer serves UDP where somebody else has the TCP port", async (t) => {
  const foreign = createServer();
  foreign.listen(0, "127.0.0.1");
  await once(foreign, "listening");
  t.after(() => foreign.close());
  const { port } = foreign.address() as { port: number };
  const { server, at } = await startServer(t, { listen: [loopback(port)] });
  await exchangeUdp(at[0], QUERY);
  assert.match(server.status()[1].problem, new RegExp(`127\\.0\\.0\\.1:${port}/tcp: another process`));
});

test("DnsServer waits for an address that the machine does not have", async (t) => {
  const missing = loopback(5300, "192.0.2.53");
  const { server, at } = await startServer(t, { listen: [missing, loopback()] });
  for (const status of server.status().slice(0, 2)) {
    assert.equal(status.isOpen, false);
    assert.match(status.problem, /^Cannot listen on 192\.0\.2\.53:5300\/(udp|tcp): no interface .* Add it/);
  }
  await exchangeUdp(at[1], QUERY);
});

test("DnsServer lets a successor listen beside it, and says that somebody is there", async (t) => {
  const address = await findFreePort(t);
  const first = await startServer(t, { listen: [address] });
  const second = await startServer(t, { listen: [address] });
  assert.deepEqual(first.log.messages("warn"), []);
  assert.equal(second.log.messages("warn").length, 1);
  assert.ok(second.server.status().every(({ isOpen }) => isOpen));
  await first.server.stop();
  await exchangeUdp(address, QUERY);
  await exchangeTcp(address, QUERY);
  assert.equal(second.meters.udpQueries, 1);
});

/** Sends without a turn of the event loop between: the server, in the same process, has read none of them. */
async function sendUnread(clients: readonly UdpClient[], to: SocketAddress, each: number): Promise<void> {
  await Promise.all(
    clients.flatMap((client) =>
      Array.from({ length: each }, (_, id) => client.send(to, composeQuery("a.test", 1, id))),
    ),
  );
}

async function openClients(t: TestContext, count: number, family: 4 | 6 = 4): Promise<UdpClient[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => UdpClient.open(family)));
  t.after(() => {
    for (const client of clients) client.close();
  });
  return clients;
}

test("DnsServer.stop() answers every query that was received", async (t) => {
  const { server, at, meters } = await startServer(t);
  const clients = await openClients(t, 20);
  await sendUnread(clients, at[0], 10);
  assert.equal(meters.udpQueries, 0);
  const stopped = server.stop();
  for (const client of clients) {
    for (let count = 0; count < 10; count++) assert.deepEqual((await client.receive()).from, at[0]);
  }
  await stopped;
  assert.ok(server.status().every(({ isOpen }) => !isOpen));
});

const HAND_OVERS = [
  { listen: "127.0.0.1", asked: "127.0.0.1" },
  { listen: "0.0.0.0", asked: "127.0.0.1" },
  { listen: "::1", asked: "::1" },
];
for (const { listen, asked } of HAND_OVERS) {
  test(`DnsServer.stop() on ${listen} leaves new queries to the successor, and none is lost`, async (t) => {
    const { port } = await findFreePort(t);
    const options = { listen: [loopback(port, listen)] };
    const first = await startServer(t, options);
    const address = loopback(port, asked);
    const clients = await openClients(t, 40, address.family);
    await sendUnread(clients, address, 5);
    const second = await startServer(t, options);
    await sendUnread(clients, address, 5);
    const stopped = first.server.stop();
    const answeredBefore = second.meters.udpQueries;
    await sendUnread(clients, address, 5);
    for (const client of clients) {
      for (let count = 0; count < 15; count++) assert.deepEqual((await client.receive()).from, address);
    }
    await stopped;
    assert.equal(first.meters.udpQueries + second.meters.udpQueries, 600);
    assert.ok(second.meters.udpQueries - answeredBefore >= 200, "queries behind stop() are the successor's");
  });
}

test("DnsServer.stop() takes no new query, also where none was waiting", async (t) => {
  const options = { listen: [await findFreePort(t)] };
  const first = await startServer(t, options);
  const second = await startServer(t, options);
  const clients = await openClients(t, 40);
  const stopped = first.server.stop();
  await sendUnread(clients, options.listen[0], 5);
  await stopped;
  for (const client of clients) for (let count = 0; count < 5; count++) await client.receive();
  assert.deepEqual([first.meters.udpQueries, second.meters.udpQueries], [0, 200]);
});

test("DnsServer.stop() finishes TCP replies, then closes; new connections are refused", async (t) => {
  const { server, at } = await startServer(t, { handler: replyOf(5000) });
  const client = await TcpClient.open(at[0]);
  client.send(QUERY);
  await client.receive();
  for (let id = 0; id < 100; id++) client.send(composeQuery("a.test", 1, id));
  const stopped = server.stop();
  for (let id = 0; id < 100; id++) assert.equal(messageId(await client.receive()), id);
  await assert.rejects(client.receive());
  await stopped;
  await assert.rejects(exchangeTcp(at[0], QUERY), { code: "ECONNREFUSED" });
});

test("DnsServer.stop() is idempotent, also before and during start()", async () => {
  const server = new DnsServer([loopback()], createContext());
  const started = server.start();
  const stopped = server.stop();
  assert.equal(server.stop(), stopped);
  await stopped;
  await started;
  assert.ok(server.status().every(({ isOpen }) => !isOpen));
});

test("DnsServer leaves no timer behind", async (t) => {
  const clock = new FakeClock();
  const { server, at } = await startServer(t, { clock });
  await exchangeTcp(at[0], QUERY);
  await stopServer(server, clock);
  assert.equal(clock.pendingTimers, 0);
});
