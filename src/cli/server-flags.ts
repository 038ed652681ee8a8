import { isIP } from "node:net";
import type { SocketAddress } from "../base/socket-address.ts";
import { parseSocketAddress, SOCKET_ADDRESS_FORM } from "../config/addresses.ts";
import type { Environment } from "../config/given.ts";
import { quote, readVariable } from "../config/given.ts";
import { OPTIONS } from "../config/options.ts";
import type { Parsed } from "../config/parsed.ts";

export const DEFAULT_TIMEOUT_MS = 2000;
export const MAX_TIMEOUT_MS = 60_000;
export const TIMEOUT_FORM = `a whole number of milliseconds from 1 to ${MAX_TIMEOUT_MS}`;
export const SERVER_DEFAULT_DOC = `the first address in HOLDFAST_LISTEN, else ${OPTIONS.listen.defaults[0]}`;

/** @param text  Of `--server`; undefined where it is not given. */
export function parseServer(text: string | undefined, env: Environment): Parsed<SocketAddress> {
  return text === undefined ? defaultServer(env) : parseDnsServer("--server", text);
}

/** `ADDR:PORT`; port 53 may be left out. */
export function parseDnsServer(
  flag: string,
  text: string,
  accepts = SOCKET_ADDRESS_FORM,
): Parsed<SocketAddress> {
  const withPort = isIP(text) === 4 ? `${text}:53` : isIP(text) === 6 ? `[${text}]:53` : text;
  const parsed = parseSocketAddress(withPort);
  return "value" in parsed
    ? parsed
    : { problem: `${flag}: ${quote(text)}: ${parsed.problem}; accepted is ${accepts}` };
}

/** @returns Milliseconds. */
export function parseTimeout(text: string | undefined): Parsed<number> {
  if (text === undefined) return { value: DEFAULT_TIMEOUT_MS };
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= MAX_TIMEOUT_MS) return { value };
  return { problem: `--timeout: ${quote(text)}; accepted is ${TIMEOUT_FORM}` };
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
