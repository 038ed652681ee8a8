import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { SocketAddress } from "../base/socket-address.ts";
import { parseSocketAddress, SOCKET_ADDRESS_FORM } from "../config/addresses.ts";
import { OPTIONS } from "../config/options.ts";
import { quote, readVariable } from "../config/given.ts";
import type { Environment } from "../config/given.ts";
import type { Parsed } from "../config/parsed.ts";
import { didYouMean } from "../config/suggest.ts";
import { TYPE_A, TYPE_AAAA, TYPE_PTR } from "../dns/constants.ts";
import { parseType } from "../dns/mnemonics.ts";

export interface LookupRequest {
  /** Without the final dot. */
  readonly name: string;
  /** One query each. */
  readonly types: readonly number[];
  readonly server: SocketAddress;
  readonly useTcp: boolean;
  readonly timeoutMs: number;
  readonly asJson: boolean;
}

const DEFAULT_TIMEOUT_MS = 2000;
const MAX_TIMEOUT_MS = 60_000;
const FLAGS = ["--server", "--tcp", "--timeout", "--json", "--help"];
const TYPE_FORM = "a type such as A, AAAA, SRV, PTR, TXT, CNAME, SOA, NS, ANY or TYPE65";

export const LOOKUP_HELP = `Usage: holdfast lookup NAME [TYPE] [OPTION]...

Asks a DNS server, by default the agent on this machine, and prints the answer as a zone file has it.
NAME is a full name, such as web.shop.svc.cluster.local, or an IP address for its PTR record. Without TYPE both A and AAAA
are asked.

Options:
  --server ADDR:PORT  Default: the first address in HOLDFAST_LISTEN, else ${OPTIONS.listen.defaults[0]}.
  --tcp               Ask over TCP. Without it, TCP is used where an answer over UDP is truncated.
  --timeout MS        Time to wait for each answer, up to ${MAX_TIMEOUT_MS}. Default: ${DEFAULT_TIMEOUT_MS}.
  --json              Print one JSON document.

Exit codes: 0 there is an answer, 1 there is none (NXDOMAIN, NODATA, an error, or no reply), 2 called wrongly.
`;

/** @returns The request, or in `problem` one line that names what is wrong and what is accepted. */
export function parseLookupArgs(args: readonly string[], env: Environment): Parsed<LookupRequest> {
  const words: string[] = [];
  let server = defaultServer(env);
  let timeoutMs = DEFAULT_TIMEOUT_MS;
  let useTcp = false;
  let asJson = false;
  for (let at = 0; at < args.length; at++) {
    const [flag, inline] = splitFlag(args[at]);
    if (flag === "--tcp") useTcp = true;
    else if (flag === "--json") asJson = true;
    else if (flag === "--server") server = parseServer(inline ?? args[++at]);
    else if (flag === "--timeout") {
      const parsed = parseTimeout(inline ?? args[++at]);
      if ("problem" in parsed) return parsed;
      timeoutMs = parsed.value;
    } else if (flag.startsWith("-")) {
      return {
        problem: `unknown flag ${quote(flag)}${didYouMean(flag, FLAGS)}; accepted are ${FLAGS.join(" ")}`,
      };
    } else words.push(flag);
  }
  if ("problem" in server) return server;
  const question = parseQuestion(words);
  if ("problem" in question) return question;
  return { value: { ...question.value, server: server.value, useTcp, timeoutMs, asJson } };
}

type Question = Pick<LookupRequest, "name" | "types">;

function parseQuestion(words: readonly string[]): Parsed<Question> {
  const [name, typeText, extra] = words;
  if (name === undefined)
    return {
      problem: "a name is missing; accepted is NAME [TYPE], such as kubernetes.default.svc.cluster.local A",
    };
  if (extra !== undefined) return { problem: `unexpected argument ${quote(extra)}; accepted is NAME [TYPE]` };
  const type = typeText === undefined ? undefined : parseType(typeText);
  if (typeText !== undefined && type === undefined)
    return { problem: `type: ${quote(typeText)} is unknown; accepted is ${TYPE_FORM}` };
  // RFC 6895 section 3.1; dns2 would ask for type A.
  if (type === 0) return { problem: `type: ${quote(typeText ?? "")} is reserved; accepted is ${TYPE_FORM}` };
  if (isIP(name) !== 0) return { value: { name: reverseName(name), types: [type ?? TYPE_PTR] } };
  const problem = nameProblem(name);
  if (problem !== undefined)
    return { problem: `name: ${quote(name)}: ${problem}; accepted is a DNS name or an IP address` };
  return {
    value: { name: name.replace(/\.$/, ""), types: type === undefined ? [TYPE_A, TYPE_AAAA] : [type] },
  };
}

/** RFC 1035 section 3.5; RFC 3596 section 2.5: one label per octet, or per hexadecimal digit. */
function reverseName(address: string): string {
  const octets = ipaddr.parse(address).toByteArray();
  if (octets.length === 4) return `${octets.toReversed().join(".")}.in-addr.arpa`;
  const digits = octets.flatMap((octet) => [(octet >> 4).toString(16), (octet & 15).toString(16)]);
  return `${digits.toReversed().join(".")}.ip6.arpa`;
}

/** dns2 drops empty labels and cuts nothing else: what it would ask must be what was written. */
function nameProblem(name: string): string | undefined {
  if (name === ".") return undefined;
  // oxlint-disable-next-line no-control-regex -- exactly those are refused
  if (/[^\x21-\x7e]|\\/.test(name)) return "it has characters that this command cannot ask for";
  const labels = name.replace(/\.$/, "").split(".");
  if (labels.includes("")) return "a label is empty";
  if (labels.some((label) => label.length > 63)) return "a label has more than 63 characters";
  return name.length > 254 ? "it has more than 253 characters" : undefined;
}

/** Where the agent of this machine listens; an address that stands for all is asked over loopback. */
function defaultServer(env: Environment): Parsed<SocketAddress> {
  const given = readVariable(OPTIONS.listen, env);
  const text = given?.texts[0] ?? OPTIONS.listen.defaults[0];
  const parsed = parseSocketAddress(text);
  if ("problem" in parsed)
    return {
      problem: `HOLDFAST_LISTEN: ${quote(text)}: ${parsed.problem}; accepted is ${SOCKET_ADDRESS_FORM}`,
    };
  const { family, address, port } = parsed.value;
  if (address === "0.0.0.0") return { value: { family, address: "127.0.0.1", port } };
  return { value: { family, address: address === "::" ? "::1" : address, port } };
}

function parseServer(text: string | undefined): Parsed<SocketAddress> {
  if (text === undefined) return { problem: `--server has no value; accepted is ${SOCKET_ADDRESS_FORM}` };
  const withPort = isIP(text) === 4 ? `${text}:53` : isIP(text) === 6 ? `[${text}]:53` : text;
  const parsed = parseSocketAddress(withPort);
  return "value" in parsed
    ? parsed
    : { problem: `--server: ${quote(text)}: ${parsed.problem}; accepted is ${SOCKET_ADDRESS_FORM}` };
}

function parseTimeout(text: string | undefined): Parsed<number> {
  const value = /^\d{1,6}$/.test(text ?? "") ? Number(text) : 0;
  if (value >= 1 && value <= MAX_TIMEOUT_MS) return { value };
  const shown = text === undefined ? "--timeout has no value" : `--timeout: ${quote(text)}`;
  return { problem: `${shown}; accepted is a whole number of milliseconds from 1 to ${MAX_TIMEOUT_MS}` };
}

function splitFlag(argument: string): readonly [flag: string, value: string | undefined] {
  const equals = argument.startsWith("--") ? argument.indexOf("=") : -1;
  return equals === -1 ? [argument, undefined] : [argument.slice(0, equals), argument.slice(equals + 1)];
}
