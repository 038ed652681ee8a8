import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { once } from "node:events";
import { suite, test } from "node:test";
import { systemClock } from "../../../src/base/clock.ts";
import type { SocketAddress } from "../../../src/base/socket-address.ts";
import { listenProblem, nextFreePort } from "../../../src/demo/ports.ts";
import { ask, Prober } from "../../../src/demo/prober.ts";
import { FLAG_QR, OPTION_EDE, TYPE_A } from "../../../src/dns/constants.ts";
import { createOptRecord } from "../../../src/dns/edns.ts";
import { composeMessage, isMessageError, parseMessage } from "../../../src/dns/message.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const QUESTION = { qname: "web.shop.svc.cluster.local", qtype: TYPE_A, rcode: 0, rdata: ["10.96.1.10"] };
const random = (): number => 0.25;

interface Script {
  readonly rcode?: number;
  readonly address?: string;
  /** EDE INFO-CODE. */
  readonly extendedError?: number;
}

/** Answers each datagram with the next script; no script, no answer. */
async function withServer(
  scripts: readonly (Script | undefined)[],
  run: (server: SocketAddress, heard: Socket) => Promise<void>,
): Promise<void> {
  const socket = createSocket("udp4");
  let at = 0;
  socket.on("message", (query, from) => {
    const script = scripts[at++ % scripts.length];
    if (script !== undefined) socket.send(reply(query, script), from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  try {
    await run({ family: 4, address: "127.0.0.1", port: socket.address().port }, socket);
  } finally {
    socket.close();
  }
}

function reply(query: Uint8Array, { rcode = 0, address, extendedError }: Script): Uint8Array {
  const message = parseMessage(query);
  assert.ok(!isMessageError(message));
  const [{ qname, qtype, qclass }] = message.questions;
  const rdata =
    address === undefined
      ? []
      : [{ kind: "address" as const, address: Uint8Array.from(address.split("."), Number) }];
  const options =
    extendedError === undefined ? [] : [{ code: OPTION_EDE, data: Uint8Array.of(0, extendedError) }];
  return composeMessage({
    ...message,
    flags: FLAG_QR | rcode,
    answers: rdata.map((data) => ({ owner: qname, rrtype: qtype, rrclass: qclass, ttl: 5, rdata: data })),
    additionals: [
      createOptRecord({ extendedRcode: 0, version: 0, udpPayloadOctets: 1232, dnssecOk: false, options }),
    ],
  });
}

suite("ask()", () => {
  const CASES = [
    { name: "the right records", scripts: [{ address: "10.96.1.10" }], outcome: "right", isStale: false },
    {
      name: "the right records, stale",
      scripts: [{ address: "10.96.1.10", extendedError: 3 }],
      outcome: "right",
      isStale: true,
    },
    {
      name: "another EDE",
      scripts: [{ address: "10.96.1.10", extendedError: 29 }],
      outcome: "right",
      isStale: false,
    },
    { name: "another address", scripts: [{ address: "10.96.1.11" }], outcome: "wrong", isStale: false },
    { name: "NODATA", scripts: [{}], outcome: "wrong", isStale: false },
    { name: "NXDOMAIN", scripts: [{ rcode: 3 }], outcome: "wrong", isStale: false },
    { name: "SERVFAIL", scripts: [{ rcode: 2 }], outcome: "wrong", isStale: false },
  ] as const;
  for (const { name, scripts, outcome, isStale } of CASES) {
    test(`judges ${name} ${outcome}`, () =>
      withServer(scripts, async (server) => {
        const verdict = await ask(server, QUESTION, { clock: systemClock, random });
        assert.deepEqual([verdict.outcome, verdict.isStale], [outcome, isStale]);
        assert.equal(verdict.explanation === "", outcome === "right");
      }));
  }

  test("tells NODATA from NXDOMAIN", () =>
    withServer([{ rcode: 3 }, {}], async (server) => {
      const question = { ...QUESTION, rcode: 3, rdata: [] };
      const outcomes: string[] = [];
      for (let asked = 0; asked < 2; asked += 1)
        outcomes.push((await ask(server, question, { clock: systemClock, random })).outcome);
      assert.deepEqual(outcomes, ["right", "wrong"]);
    }));

  test("asks again after a second, and counts the whole wait", () =>
    withServer([undefined, { address: "10.96.1.10" }], async (server, heard) => {
      const clock = new FakeClock();
      const asked = ask(server, QUESTION, { clock, random });
      await once(heard, "message");
      clock.advance(1_000);
      const { outcome, elapsedMs } = await asked;
      assert.deepEqual([outcome, elapsedMs], ["right", 1_000]);
    }));

  test("gives up after two seconds of silence", () =>
    withServer([undefined], async (server, heard) => {
      const clock = new FakeClock();
      const asked = ask(server, QUESTION, { clock, random });
      for (let attempt = 0; attempt < 2; attempt += 1) {
        await once(heard, "message");
        clock.advance(1_000);
      }
      const { outcome, explanation } = await asked;
      assert.equal(outcome, "lost");
      assert.match(explanation, /web\.shop\.svc\.cluster\.local A: no answer/);
    }));
});

suite("Prober", () => {
  test("asks at its rate and reports what it got", () =>
    withServer(
      [{ address: "10.96.1.10" }, { address: "10.96.1.10", extendedError: 3 }, { rcode: 2 }, {}],
      async (server) => {
        const clock = new FakeClock();
        const prober = new Prober(server, [QUESTION], 400, { clock, random });
        prober.start();
        clock.advance(100);
        const report = await prober.stop();
        assert.deepEqual([report.asked, report.lost, report.wrong, report.stale], [40, 0, 20, 10]);
        assert.equal(report.failures.length, 5);
        assert.match(report.failures[0], /right is NOERROR \[10\.96\.1\.10\]$/);
      },
    ));
});

suite("ports", () => {
  test("listenProblem() tells a port that a process has, also where that process would share it", async () => {
    const socket = createSocket({ type: "udp4", reusePort: process.platform === "linux" });
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const address = { family: 4, address: "127.0.0.1", port: socket.address().port } as const;
    assert.equal(await listenProblem("UDP", address), "EADDRINUSE");
    socket.close();
    await once(socket, "close");
    assert.equal(await listenProblem("UDP", address), undefined);
    assert.equal(await listenProblem("TCP", await nextFreePort(address)), undefined);
  });
});
