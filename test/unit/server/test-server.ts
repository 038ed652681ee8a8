import type { TestContext } from "node:test";
import type { Clock } from "../../../src/base/clock.ts";
import { systemClock } from "../../../src/base/clock.ts";
import type { LogFields, Logger } from "../../../src/base/logger.ts";
import type { SocketAddress } from "../../../src/base/socket-address.ts";
import { TRANSPORT_UDP } from "../../../src/dns/transport.ts";
import { DnsServer } from "../../../src/server/dns-server.ts";
import type { QueryHandler } from "../../../src/server/query-handler.ts";
import { ServerMeters } from "../../../src/server/server-meters.ts";
import type { ServerContext } from "../../../src/server/server-context.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** Keeps lines, and lets a test wait for one. */
export class RecordingLogger implements Logger {
  readonly lines: { level: string; message: string; fields: LogFields }[] = [];
  readonly #waiters: { message: string; resolve: () => void }[] = [];

  debug(message: string, fields: LogFields = {}): void {
    this.#add("debug", message, fields);
  }
  info(message: string, fields: LogFields = {}): void {
    this.#add("info", message, fields);
  }
  warn(message: string, fields: LogFields = {}): void {
    this.#add("warn", message, fields);
  }
  error(message: string, fields: LogFields = {}): void {
    this.#add("error", message, fields);
  }
  child(): Logger {
    return this;
  }

  messages(level: string): string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.message);
  }

  /** The next line with this message, from now on. */
  next(message: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push({ message, resolve });
    });
  }

  #add(level: string, message: string, fields: LogFields): void {
    this.lines.push({ level, message, fields });
    for (const waiter of this.#waiters.splice(0)) {
      if (waiter.message === message) waiter.resolve();
      else this.#waiters.push(waiter);
    }
  }
}

/** Answers with the query itself, QR set: the ID and the question come back. */
export const echo: QueryHandler = (query, length, out) => {
  for (let at = 0; at < length; at++) out[at] = query[at];
  out[2] |= 0x80;
  return length;
};

/** A reply of `octets` to every query over TCP. */
export function replyOf(octets: number): QueryHandler {
  return (query, length, out, transport) => {
    if (transport === TRANSPORT_UDP) return echo(query, length, out, transport);
    out.fill(0, 0, octets);
    echo(query, length, out, transport);
    return octets;
  };
}

export interface TestServer {
  readonly server: DnsServer;
  readonly meters: ServerMeters;
  readonly log: RecordingLogger;
  /** The bound addresses, in the order asked for. */
  readonly at: readonly SocketAddress[];
}

export function createContext(options: { handler?: QueryHandler; clock?: Clock } = {}): ServerContext & {
  log: RecordingLogger;
} {
  return {
    handler: options.handler ?? echo,
    clock: options.clock ?? systemClock,
    meters: new ServerMeters(),
    log: new RecordingLogger(),
  };
}

/** A server with sockets on loopback, stopped when the test ends. */
export async function startServer(
  t: TestContext,
  options: { listen?: readonly SocketAddress[]; handler?: QueryHandler; clock?: Clock } = {},
): Promise<TestServer> {
  const context = createContext(options);
  const server = new DnsServer(options.listen ?? [loopback()], context);
  await server.start();
  t.after(() => stopServer(server, context.clock));
  const at = server.status().filter((status) => status.transport === "udp");
  return { server, meters: context.meters, log: context.log, at: at.map((status) => status.address) };
}

/** Stops it, also under a clock that stands still by itself. */
export async function stopServer(server: DnsServer, clock: Clock): Promise<void> {
  const progress = { isDone: false };
  const stopped = server.stop().finally(() => {
    progress.isDone = true;
  });
  if (clock instanceof FakeClock) while (!progress.isDone) await clock.advanceAsync(100);
  await stopped;
}

export function loopback(port = 0, address = "127.0.0.1"): SocketAddress {
  return { family: address.includes(":") ? 6 : 4, address, port };
}
