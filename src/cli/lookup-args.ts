import type { SocketAddress } from "../base/socket-address.ts";
import { SOCKET_ADDRESS_FORM } from "../config/addresses.ts";
import { quote } from "../config/given.ts";
import type { Environment } from "../config/given.ts";
import type { Parsed } from "../config/parsed.ts";
import type { Asked } from "./asked-name.ts";
import { parseAsked } from "./asked-name.ts";
import { readFlags } from "./flags.ts";
import {
  DEFAULT_TIMEOUT_MS,
  MAX_TIMEOUT_MS,
  parseServer,
  parseTimeout,
  SERVER_DEFAULT_DOC,
  TIMEOUT_FORM,
} from "./server-flags.ts";

export interface LookupRequest extends Asked {
  readonly server: SocketAddress;
  readonly useTcp: boolean;
  readonly timeoutMs: number;
  readonly asJson: boolean;
}

const FLAGS = {
  "--server": SOCKET_ADDRESS_FORM,
  "--tcp": undefined,
  "--timeout": TIMEOUT_FORM,
  "--json": undefined,
} as const;

export const LOOKUP_HELP = `Usage: holdfast lookup NAME [TYPE] [OPTION]...

Asks a DNS server, by default the agent on this machine, and prints the answer as a zone file has it.
NAME is a full name, such as web.shop.svc.cluster.local, or an IP address for its PTR record. Without TYPE both A and AAAA
are asked.

Options:
  --server ADDR:PORT  Default: ${SERVER_DEFAULT_DOC}.
  --tcp               Ask over TCP. Without it, TCP is used where an answer over UDP is truncated.
  --timeout MS        Time to wait for each answer, up to ${MAX_TIMEOUT_MS}. Default: ${DEFAULT_TIMEOUT_MS}.
  --json              Print one JSON document.

Exit codes: 0 there is an answer, 1 there is none (NXDOMAIN, NODATA, an error, or no reply), 2 called wrongly.
`;

/** @returns The request, or in `problem` one line that names what is wrong and what is accepted. */
export function parseLookupArgs(args: readonly string[], env: Environment): Parsed<LookupRequest> {
  const flags = readFlags(args, FLAGS);
  if ("problem" in flags) return flags;
  const given = flags.value;
  const timeoutMs = parseTimeout(given.last("--timeout"));
  if ("problem" in timeoutMs) return timeoutMs;
  const server = parseServer(given.last("--server"), env);
  if ("problem" in server) return server;
  const asked = parseQuestion(given.words);
  if ("problem" in asked) return asked;
  return {
    value: {
      ...asked.value,
      server: server.value,
      useTcp: given.has("--tcp"),
      timeoutMs: timeoutMs.value,
      asJson: given.has("--json"),
    },
  };
}

function parseQuestion([name, typeText, extra]: readonly string[]): Parsed<Asked> {
  if (name === undefined)
    return {
      problem: "a name is missing; accepted is NAME [TYPE], such as kubernetes.default.svc.cluster.local A",
    };
  if (extra !== undefined) return { problem: `unexpected argument ${quote(extra)}; accepted is NAME [TYPE]` };
  return parseAsked(name, typeText);
}
