/** Mutated packets through the UDP server: all that are due come back, and nothing stays in memory. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { systemClock } from "../../../src/base/clock.ts";
import { DROP } from "../../../src/dns/transport.ts";
import { DnsServer } from "../../../src/server/dns-server.ts";
import { ServerMeters } from "../../../src/server/server-meters.ts";
import { mutate, seedPackets } from "../../support/answer-paths-mutations.ts";
import { chooseSeed, seededRandom } from "../../support/answer-paths-random.ts";
import { RecordingLog } from "../../support/recording-log.ts";
import { createFuzzResponder } from "./fuzz-cluster.ts";

const PACKETS = 100_000;
const WARM_UP_PACKETS = 40_000;
/** In flight at once: far below what the receive buffers hold, so that the kernel drops none. */
const WINDOW = 50;
const MIB = 1024 * 1024;
/** Four times the goal of 10: pages of the collector come and go. */
const MAX_GROWTH_MIB = 40;

test(
  `${PACKETS} mutated packets over UDP: every reply that is due comes`,
  { timeout: 120_000 },
  async (t) => {
    const seed = chooseSeed();
    t.diagnostic(`SEED=${seed}`);
    const random = seededRandom(seed);
    const seeds = seedPackets();
    const responder = createFuzzResponder();
    const oracle = createFuzzResponder();
    const oracleOut = new Uint8Array(1232);
    const server = new DnsServer([{ family: 4, address: "127.0.0.1", port: 0 }], {
      handler: (query, length, out, transport) => responder.respond(query, length, out, transport),
      clock: systemClock,
      meters: new ServerMeters(),
      log: new RecordingLog(),
    });
    await server.start();
    t.after(() => server.stop());
    const { port } = server.status()[0].address;

    const socket = createSocket("udp4");
    t.after(() => socket.close());
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    let due = 0;
    let received = 0;
    let wake: (() => void) | undefined;
    socket.on("message", () => {
      if (++received >= due) wake?.();
    });

    let warmBytes = 0;
    for (let sent = 0; sent < PACKETS; sent += WINDOW) {
      for (let count = 0; count < WINDOW; count++) {
        const packet = mutate(seeds, random);
        if (oracle.respond(packet, packet.length, oracleOut, 0) !== DROP) due++;
        socket.send(packet, port, "127.0.0.1");
      }
      if (received < due) await new Promise<void>((resolve) => (wake = resolve));
      if (sent === WARM_UP_PACKETS) warmBytes = process.memoryUsage().rss;
    }
    assert.equal(received, due);
    const growthMib = (process.memoryUsage().rss - warmBytes) / MIB;
    t.diagnostic(
      `${received} replies; RSS grew ${growthMib.toFixed(1)} MiB after ${WARM_UP_PACKETS} packets (goal 10)`,
    );
    assert.ok(growthMib < MAX_GROWTH_MIB, `RSS grew ${growthMib} MiB`);
  },
);
