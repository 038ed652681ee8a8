import { isIP, SocketAddress as NodeSocketAddress } from "node:net";
import type { SocketAddress } from "../base/socket-address.ts";
import type { AdminAddress } from "./agent-config.ts";
import type { Parsed } from "./parsed.ts";

/** The limit of `sun_path` on Linux, less its final zero octet (unix(7)). */
const MAX_UNIX_PATH_OCTETS = 107;

export const SOCKET_ADDRESS_FORM = "ADDR:PORT such as 127.0.0.1:5353 or [::1]:5353";

/** `ip:port` or `[ip6]:port`. Host names are refused: a listening agent must not depend on a resolver. */
export function parseSocketAddress(text: string): Parsed<SocketAddress> {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (match === null) return { problem: describeShape(text) };
  const [, bracketed, plain = "", portText = ""] = match;
  const port = Number(portText);
  if (port > 65535) return { problem: `port ${portText} is above 65535` };
  const address = bracketed ?? plain;
  const family = isIP(address);
  if (bracketed !== undefined && family !== 6)
    return { problem: `${JSON.stringify(address)} is not an IPv6 address` };
  if (bracketed === undefined && family !== 4)
    return { problem: `${JSON.stringify(address)} is not an IPv4 address` };
  return { value: { family: family === 6 ? 6 : 4, address: canonicalAddress(address, family), port } };
}

export function formatSocketAddress({ family, address, port }: SocketAddress): string {
  return family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** `ADDR:PORT`, or `unix:PATH` for a socket file. */
export function parseAdminAddress(text: string): Parsed<AdminAddress> {
  if (!text.startsWith("unix:")) {
    const parsed = parseSocketAddress(text);
    return "problem" in parsed ? parsed : { value: { type: "tcp", address: parsed.value } };
  }
  const path = text.slice("unix:".length);
  if (path === "") return { problem: "the path after unix: is empty" };
  const octets = new TextEncoder().encode(path).length;
  if (octets > MAX_UNIX_PATH_OCTETS)
    return { problem: `a socket's path has at most ${MAX_UNIX_PATH_OCTETS} octets, this one ${octets}` };
  return { value: { type: "unix", path } };
}

export function formatAdminAddress(admin: AdminAddress): string {
  return admin.type === "unix" ? `unix:${admin.path}` : formatSocketAddress(admin.address);
}

/** One spelling per address, so that two spellings of one address are seen as a repetition. */
function canonicalAddress(address: string, family: number): string {
  // An interface (`fe80::1%eth0`) is lost by SocketAddress, and nobody writes such an address in two ways.
  if (family !== 6 || address.includes("%")) return address;
  return new NodeSocketAddress({ address, family: "ipv6" }).address;
}

function describeShape(text: string): string {
  if (isIP(text) !== 0) return "the port is missing";
  if (isIP(text.slice(0, text.lastIndexOf(":"))) === 6) return "an IPv6 address with a port needs brackets";
  return "this is not an address with a port";
}
