import type { AdminAddress } from "../config/agent-config.ts";

const LOOPBACK_NAMES = new Set(["127.0.0.1", "localhost", "[::1]"]);

/**
 * Whether a request's `Host` is one that people and probes use for this address.
 *
 * Against DNS rebinding: a web page whose name was made to resolve to a loopback or node address could otherwise read the
 * agent's state through the visitor's browser. Its `Host` is the page's own name. On an address that is not a loopback one, an IP
 * literal is accepted too: a page cannot be rebound under it, and the node's other addresses arrive there through `0.0.0.0`.
 */
export function isHostAllowed(host: string | undefined, listener: AdminAddress): boolean {
  // A browser cannot reach a socket file, and curl sends any host there.
  if (listener.type === "unix") return true;
  // HTTP/1.0 probes send none, and a browser always sends one.
  if (host === undefined) return true;
  const name = withoutPort(host.toLowerCase());
  if (LOOPBACK_NAMES.has(name)) return true;
  const { address } = listener.address;
  if (name === address || name === `[${address}]`) return true;
  return !isLoopback(address) && isAddressLiteral(name);
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, "");
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

function isAddressLiteral(name: string): boolean {
  return /^\d{1,3}(?:\.\d{1,3}){3}$/.test(name) || /^\[[0-9a-f:.%]+\]$/.test(name);
}
