/** Every way in which the product answers a question: the same table of cases must hold on all of them. */
import { runCommand } from "../../src/cli/commands.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { SocketAddress } from "../../src/base/socket-address.ts";
import type { AnswerTable } from "../../src/answers/answer-table.ts";
import { Responder } from "../../src/answers/responder.ts";
import { TRANSPORT_TCP, TRANSPORT_UDP } from "../../src/dns/transport.ts";
import { parseIpAddress } from "../../src/model/ip-address.ts";
import { DnsServer } from "../../src/server/dns-server.ts";
import type { QueryHandler } from "../../src/server/query-handler.ts";
import { ServerMeters } from "../../src/server/server-meters.ts";
import type { AnswerCase } from "../cases/answer-case.ts";
import { composeQuery, describeReply, maskSerial, parseReply, type Reply } from "./answer-paths-message.ts";
import {
  ALL_FRESH,
  compiledTable,
  patchedTable,
  restoredTable,
  type TableInput,
  toRecords,
} from "./answer-paths-table.ts";
import { TcpClient, UdpClient } from "./dns-client.ts";
import { RecordingLog } from "./recording-log.ts";

export interface AnswerPath {
  readonly name: string;
  /** Whether the path can ask this question and show this reply. */
  covers(row: AnswerCase): boolean;
  ask(row: AnswerCase): Promise<Reply>;
  stop(): Promise<void>;
}

/** @param random  Numbers in [0, 1): the order of changes. */
export async function startAnswerPaths(random: () => number): Promise<readonly AnswerPath[]> {
  const server = await CaseServer.start();
  return [
    inProcess("a table compiled at once", compiledTable),
    inProcess("a table built by patches", (input) => patchedTable(input, random)),
    inProcess("a table restored from a snapshot", restoredTable),
    await overUdp(server),
    await overTcp(server),
    byLookup(server),
    { name: "the server's end", covers: () => false, ask: unreachable, stop: () => server.stop() },
  ];
}

export function createResponder(row: AnswerCase, table: AnswerTable): Responder {
  const { zones, ttlSeconds, pods, endpoints, nameServerAddresses } = row.options ?? {};
  return new Responder(table, {
    zones: zones ?? ["cluster.local"],
    ttlSeconds: ttlSeconds ?? 5,
    pods: pods ?? "insecure",
    tracksAllEndpoints: endpoints !== "headless",
    nameServerAddresses: (nameServerAddresses ?? []).map((text) => parseIpAddress(text)!),
  });
}

function toInput(row: AnswerCase): TableInput {
  return {
    records: toRecords(row.given ?? []),
    conditions: { ...ALL_FRESH, ...row.state },
    tracksAllEndpoints: row.options?.endpoints !== "headless",
  };
}

function inProcess(name: string, build: (input: TableInput) => AnswerTable): AnswerPath {
  return {
    name,
    covers: () => true,
    ask: (row) => {
      const query = composeQuery(row);
      const isTcp = row.transport === "tcp";
      const out = new Uint8Array(isTcp ? 65_535 : 1232);
      const transport = isTcp ? TRANSPORT_TCP : TRANSPORT_UDP;
      const length = createResponder(row, build(toInput(row))).respond(query, query.length, out, transport);
      return Promise.resolve(describeReply(parseReply(out.subarray(0, length))));
    },
    stop: () => Promise.resolve(),
  };
}

/** One server for all cases: each brings its own answers. */
class CaseServer {
  readonly address: SocketAddress;
  readonly #server: DnsServer;
  readonly #handler: { current: QueryHandler };

  private constructor(server: DnsServer, handler: { current: QueryHandler }) {
    this.#server = server;
    this.#handler = handler;
    this.address = server.status()[0].address;
  }

  static async start(): Promise<CaseServer> {
    const handler: { current: QueryHandler } = { current: () => 0 };
    const server = new DnsServer([{ family: 4, address: "127.0.0.1", port: 0 }], {
      handler: (query, length, out, transport) => handler.current(query, length, out, transport),
      clock: systemClock,
      meters: new ServerMeters(),
      log: new RecordingLog(),
    });
    await server.start();
    return new CaseServer(server, handler);
  }

  use(row: AnswerCase): void {
    const responder = createResponder(row, compiledTable(toInput(row)));
    this.#handler.current = (query, length, out, transport) =>
      responder.respond(query, length, out, transport);
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}

async function overUdp(server: CaseServer): Promise<AnswerPath> {
  const client = await UdpClient.open();
  return {
    name: "the UDP server",
    covers: (row) => row.transport !== "tcp",
    ask: async (row) => {
      server.use(row);
      await client.send(server.address, composeQuery(row));
      return describeReply(parseReply((await client.receive()).message));
    },
    stop: () => Promise.resolve(client.close()),
  };
}

async function overTcp(server: CaseServer): Promise<AnswerPath> {
  const client = await TcpClient.open(server.address);
  return {
    name: "the TCP server",
    covers: (row) => row.transport !== "udp",
    ask: async (row) => {
      server.use(row);
      client.send(composeQuery(row));
      return describeReply(parseReply(await client.receive()));
    },
    stop: () => Promise.resolve(client.close()),
  };
}

interface LookupResult {
  readonly status: string;
  readonly flags: readonly string[];
  readonly extendedErrors: readonly { readonly code: number }[];
  readonly answer: readonly string[];
  readonly authority: readonly string[];
  readonly additional: readonly string[];
}

/** `holdfast lookup`, which asks with EDNS, RD and AD in class IN and goes to TCP where UDP is cut. */
function byLookup(server: CaseServer): AnswerPath {
  return {
    name: "holdfast lookup",
    covers: (row) =>
      row.transport !== "udp" &&
      (row.header === undefined || row.header === 0x0100) &&
      (row.edns === undefined || Object.keys(row.edns).length === 0) &&
      // Without an OPT record it would show no EDE, and it always sends one.
      (row.edns !== undefined || row.want.rcode !== "SERVFAIL") &&
      row.state === undefined &&
      row.query.split(" ").length === 2 &&
      // HINFO it shows as octets, and dns2, which it asks with, never sends TYPE0.
      !/ (ANY|TYPE0)$/.test(row.query) &&
      // It takes what people type: no escapes, no wild octets.
      /^[\w.*-]+ \w+$/.test(row.query),
    ask: async (row) => {
      server.use(row);
      const [name, qtype] = row.query.split(" ");
      const { address, port } = server.address;
      const transport = row.transport === "tcp" ? ["--tcp"] : [];
      let out = "";
      let err = "";
      await runCommand(
        {
          args: ["lookup", name, qtype, "--json", "--server", `${address}:${port}`, ...transport],
          env: {},
          out: (text) => void (out += text),
          err: (text) => void (err += text),
        },
        "0.0.0",
      );
      if (out === "") throw new Error(`Cannot read the output of lookup: ${err}`);
      const [result] = JSON.parse(out) as LookupResult[];
      return {
        rcode: result.status === "NODATA" ? "NOERROR" : result.status,
        flags: `qr ${result.flags.join(" ")}`,
        answer: result.answer.map(maskSerial),
        authority: result.authority.map(maskSerial),
        additional: result.additional.map(maskSerial),
        ede: result.extendedErrors.map(({ code }) => code),
      };
    },
    stop: () => Promise.resolve(),
  };
}

function unreachable(): never {
  throw new Error("Cannot ask the server's end");
}
