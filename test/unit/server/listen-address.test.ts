import assert from "node:assert/strict";
import { test } from "node:test";
import { CHECK_INTERVAL_MS, ListenAddress } from "../../../src/server/listen-address.ts";
import type {
  ListeningSocket,
  ListeningSockets,
  ListenOptions,
} from "../../../src/server/listening-socket.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { createContext, loopback } from "./test-server.ts";

const ADDRESS = loopback(53, "169.254.53.53");

function failure(code: string): Error {
  return Object.assign(new Error(`bind ${code}`), { code });
}

/** Sockets that fail when told to. */
class FakeSockets implements ListeningSockets {
  isPresent = true;
  udpError: Error | undefined;
  readonly opened: string[] = [];
  readonly closed: string[] = [];
  breakUdp: (error: Error) => void = () => {};

  openUdp(_address: unknown, options: ListenOptions): Promise<ListeningSocket> {
    this.breakUdp = options.onFailure;
    return this.udpError === undefined ? this.#open("udp") : Promise.reject(this.udpError);
  }
  openTcp(): Promise<ListeningSocket> {
    return this.#open("tcp");
  }
  isAddressPresent(): Promise<boolean> {
    return Promise.resolve(this.isPresent);
  }
  isPortTaken(): Promise<boolean> {
    return Promise.resolve(false);
  }

  #open(name: string): Promise<ListeningSocket> {
    this.opened.push(name);
    const close = (): Promise<void> => {
      this.closed.push(name);
      return Promise.resolve();
    };
    return Promise.resolve({ port: 53, close, drain: close });
  }
}

async function setUp(sockets = new FakeSockets()) {
  const clock = new FakeClock();
  const context = createContext({ clock });
  const listen = new ListenAddress(ADDRESS, sockets, context);
  await listen.start();
  const isOpen = (): boolean[] => listen.status().map((status) => status.isOpen);
  return { clock, context, listen, sockets, isOpen };
}

test("ListenAddress opens a broken socket again at once, and closes the broken one", async () => {
  const { clock, sockets, isOpen, context, listen } = await setUp();
  await clock.advanceAsync(CHECK_INTERVAL_MS * 2);
  sockets.breakUdp(failure("ENOMEM"));
  assert.deepEqual(isOpen(), [false, true]);
  await clock.advanceAsync(0);
  assert.deepEqual(isOpen(), [true, true]);
  assert.deepEqual(sockets.opened, ["udp", "tcp", "udp"]);
  assert.deepEqual(sockets.closed, ["udp"]);
  assert.equal(context.meters.socketErrors, 1);
  await listen.drain();
});

test("ListenAddress does not spin on a socket that breaks as soon as it is open", async () => {
  const { clock, sockets } = await setUp();
  for (let seconds = 0; seconds < 60; seconds++) {
    sockets.breakUdp(failure("EBADF"));
    await clock.advanceAsync(1000);
  }
  const reopened = sockets.opened.filter((name) => name === "udp").length;
  assert.ok(reopened <= 32, `${reopened} times in a minute`);
});

test("ListenAddress tells that its address left, and that it is back, without losing its sockets", async () => {
  const { clock, sockets, isOpen, listen } = await setUp();
  sockets.isPresent = false;
  await clock.advanceAsync(CHECK_INTERVAL_MS);
  assert.deepEqual(isOpen(), [false, false]);
  assert.match(
    listen.status()[0].problem,
    /169\.254\.53\.53:53\/udp: no interface of this machine has the address/,
  );
  sockets.isPresent = true;
  await clock.advanceAsync(CHECK_INTERVAL_MS);
  assert.deepEqual(isOpen(), [true, true]);
  assert.deepEqual(sockets.closed, []);
});

const PROBLEMS = [
  { code: "EADDRINUSE", says: /another process has the port.*ss -lunp/ },
  { code: "EADDRNOTAVAIL", says: /no interface of this machine has the address/ },
  { code: "EACCES", says: /permission denied.*NET_BIND_SERVICE/ },
  { code: "EMFILE", says: /file descriptor.*limit/ },
  { code: "EIO", says: /bind EIO/ },
];
for (const { code, says } of PROBLEMS) {
  test(`ListenAddress explains ${code}, says it once, and gets over it`, async () => {
    const sockets = new FakeSockets();
    sockets.udpError = failure(code);
    const { clock, isOpen, listen, context } = await setUp(sockets);
    assert.match(listen.status()[0].problem, says);
    await clock.advanceAsync(CHECK_INTERVAL_MS * 3);
    assert.equal(context.log.messages("error").length, 1);
    sockets.udpError = undefined;
    await clock.advanceAsync(CHECK_INTERVAL_MS);
    assert.deepEqual(isOpen(), [true, true]);
  });
}
