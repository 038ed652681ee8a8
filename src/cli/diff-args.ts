import { isIP } from "node:net";
import type { SocketAddress } from "../base/socket-address.ts";
import { formatSocketAddress, SOCKET_ADDRESS_FORM } from "../config/addresses.ts";
import type { Environment } from "../config/given.ts";
import { quote, readVariable } from "../config/given.ts";
import { OPTIONS } from "../config/options.ts";
import type { Parsed } from "../config/parsed.ts";
import { TYPE_A, TYPE_AAAA, TYPE_SRV, TYPE_TXT } from "../dns/constants.ts";
import { parseAsked } from "./asked-name.ts";
import type { Question } from "./dns-exchange.ts";
import { readFlags } from "./flags.ts";
import { readNameservers } from "./resolv-conf.ts";
import {
  DEFAULT_TIMEOUT_MS,
  MAX_TIMEOUT_MS,
  parseDnsServer,
  parseServer,
  parseTimeout,
  SERVER_DEFAULT_DOC,
  TIMEOUT_FORM,
} from "./server-flags.ts";

export interface DiffRequest {
  readonly questions: readonly Question[];
  readonly server: SocketAddress;
  readonly against: SocketAddress;
  readonly timeoutMs: number;
  readonly asJson: boolean;
}

/** Waits before the questions are asked again, from one try to the next: 2 s in all. */
export const RETRY_DELAYS_MS: readonly number[] = [300, 600, 1100];

const RESOLV_CONF = "resolv.conf";
const RESOLV_CONF_PATH = "/etc/resolv.conf";
const AGAINST_FORM = `${SOCKET_ADDRESS_FORM}, or ${RESOLV_CONF}`;
/** No cluster has a Service of this name by chance. */
const ABSENT_SERVICE = "holdfast-diff-no-such-service";

const FLAGS = {
  "--server": SOCKET_ADDRESS_FORM,
  "--against": AGAINST_FORM,
  "--zone": OPTIONS.zones.accepts,
  "--timeout": TIMEOUT_FORM,
  "--json": undefined,
} as const;

export const DIFF_HELP = `Usage: holdfast diff [NAME[:TYPE]]... [OPTION]...

Asks two DNS servers the same questions and says whether a client would see the same: the response code, and the records of
the answer as a set. Order, TTL, capitals in names, serial numbers and the other sections do not count.
NAME is as for lookup: without TYPE both A and AAAA are asked, of an IP address PTR. Without NAME the questions are what
every cluster has: the Service kubernetes (A, AAAA, and SRV of its port https), dns-version (TXT), and a name that is not.

Two servers learn of a change at different times. Where answers differ, or one does not come, both servers are asked again,
up to ${RETRY_DELAYS_MS.length} times in ${RETRY_DELAYS_MS.reduce((sum, delayMs) => sum + delayMs) / 1000} s, and the last answers count.

Options:
  --server ADDR:PORT   Default: ${SERVER_DEFAULT_DOC}.
  --against ADDR:PORT|${RESOLV_CONF}
                       The other server, such as the cluster's CoreDNS. Default: ${RESOLV_CONF}, which stands for the first
                       nameserver in ${RESOLV_CONF_PATH} that is not the server itself.
  --zone NAME          The cluster's zone, for the questions without NAME. Default: the first in HOLDFAST_ZONE, else
                       ${OPTIONS.zones.defaults[0]}.
  --timeout MS         Time to wait for each answer, up to ${MAX_TIMEOUT_MS}. Default: ${DEFAULT_TIMEOUT_MS}.
  --json               Print one JSON document.

Prints a line for each question: same, differs (both answers follow; a star marks what the other lacks) or failed (no reply).

Exit codes: 0 all are the same, 1 an answer differs or a server does not reply, 2 called wrongly.
`;

/** @returns The request, or in `problem` one line that names what is wrong and what is accepted. */
export async function parseDiffArgs(
  args: readonly string[],
  env: Environment,
  readText: (path: string) => Promise<string>,
): Promise<Parsed<DiffRequest>> {
  const flags = readFlags(args, FLAGS);
  if ("problem" in flags) return flags;
  const given = flags.value;
  const timeoutMs = parseTimeout(given.last("--timeout"));
  if ("problem" in timeoutMs) return timeoutMs;
  const questions = parseQuestions(given.words, given.last("--zone"), env);
  if ("problem" in questions) return questions;
  const server = parseServer(given.last("--server"), env);
  if ("problem" in server) return server;
  const against = await parseAgainst(given.last("--against") ?? RESOLV_CONF, server.value, readText);
  if ("problem" in against) return against;
  return {
    value: {
      questions: questions.value,
      server: server.value,
      against: against.value,
      timeoutMs: timeoutMs.value,
      asJson: given.has("--json"),
    },
  };
}

function parseQuestions(
  words: readonly string[],
  zoneText: string | undefined,
  env: Environment,
): Parsed<readonly Question[]> {
  const zone = parseZone(zoneText, env);
  if ("problem" in zone) return zone;
  if (words.length === 0) return { value: defaultQuestions(zone.value) };
  const questions: Question[] = [];
  for (const word of words) {
    const asked = parseAsked(...splitType(word));
    if ("problem" in asked) return asked;
    questions.push(...asked.value.types.map((type) => ({ name: asked.value.name, type })));
  }
  return { value: questions };
}

/** An IPv6 address has colons of its own, and no label of a name has one. */
function splitType(word: string): [name: string, type: string | undefined] {
  const colon = isIP(word) === 0 ? word.lastIndexOf(":") : -1;
  return colon === -1 ? [word, undefined] : [word.slice(0, colon), word.slice(colon + 1)];
}

function parseZone(text: string | undefined, env: Environment): Parsed<string> {
  const option = OPTIONS.zones;
  const fromEnv = readVariable(option, env);
  const [shown, origin] =
    text === undefined ? [fromEnv?.texts[0] ?? option.defaults[0], fromEnv?.origin] : [text, "--zone"];
  const parsed = option.parse(shown);
  if ("value" in parsed) return parsed;
  return { problem: `${origin}: ${quote(shown)}: ${parsed.problem}; accepted is ${option.accepts}` };
}

function defaultQuestions(zone: string): readonly Question[] {
  const kubernetes = `kubernetes.default.svc.${zone}`;
  return [
    { name: kubernetes, type: TYPE_A },
    { name: kubernetes, type: TYPE_AAAA },
    { name: `_https._tcp.${kubernetes}`, type: TYPE_SRV },
    { name: `dns-version.${zone}`, type: TYPE_TXT },
    { name: `${ABSENT_SERVICE}.default.svc.${zone}`, type: TYPE_A },
  ];
}

async function parseAgainst(
  text: string,
  server: SocketAddress,
  readText: (path: string) => Promise<string>,
): Promise<Parsed<SocketAddress>> {
  const self = formatSocketAddress(server);
  if (text !== RESOLV_CONF) {
    const parsed = parseDnsServer("--against", text, AGAINST_FORM);
    if ("problem" in parsed || formatSocketAddress(parsed.value) !== self) return parsed;
    return { problem: `--against: ${self} is --server itself; accepted is another server` };
  }
  let content: string;
  try {
    content = await readText(RESOLV_CONF_PATH);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { problem: `--against: cannot read ${RESOLV_CONF_PATH}: ${reason}; accepted is ${AGAINST_FORM}` };
  }
  const other = readNameservers(content).find((address) => formatSocketAddress(address) !== self);
  if (other !== undefined) return { value: other };
  return {
    problem: `--against: ${RESOLV_CONF_PATH} names no server but ${self}; accepted is ${AGAINST_FORM}`,
  };
}
