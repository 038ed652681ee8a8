import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import type { SocketStatus } from "../../../src/server/listen-address.ts";
import { composeQuery, exchangeTcp, exchangeUdp, messageId, TcpClient } from "../../support/dns-client.ts";

const OPEN_FILES = 48;
const QUERY = composeQuery("a.test");

test("out of file descriptors: UDP goes on, who cannot be accepted is told at once, TCP recovers", async (t) => {
  const program = new URL("scarce-files-server.ts", import.meta.url).pathname;
  const child = spawn(
    "/bin/sh",
    ["-c", `ulimit -n ${OPEN_FILES} && exec "$0" "$1"`, process.execPath, program],
    { stdio: ["ignore", "inherit", "inherit", "ipc"] },
  );
  t.after(() => child.disconnect());
  const died = once(child, "exit").then(([code]) => {
    throw new Error(`The server died: ${code}`);
  });
  const [[udp, tcp]] = (await Promise.race([once(child, "message"), died])) as [SocketStatus[]];
  assert.deepEqual([udp.isOpen, tcp.isOpen], [true, true]);

  const clients: TcpClient[] = [];
  for (let count = 0; count < OPEN_FILES; count++) {
    clients.push(await TcpClient.open(tcp.address, `127.0.3.${1 + (count % 10)}`));
    assert.equal(messageId(await exchangeUdp(udp.address, QUERY)), messageId(QUERY));
  }
  // libuv accepts with its last descriptor and closes: the client knows at once.
  const fates = await Promise.allSettled(
    clients.map((client) => {
      client.send(QUERY);
      return client.receive();
    }),
  );
  const served = fates.filter(({ status }) => status === "fulfilled").length;
  assert.ok(served > 0 && served < OPEN_FILES, `${served} of ${OPEN_FILES} connections were served`);

  for (const client of clients) client.close();
  // The server learns of the closes in its own time; until then it may refuse once more.
  let reply: Uint8Array | undefined;
  while (reply === undefined) reply = await exchangeTcp(tcp.address, QUERY).catch(() => undefined);
  assert.equal(messageId(reply), messageId(QUERY));
});
