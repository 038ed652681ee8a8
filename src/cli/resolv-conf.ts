import { isIP } from "node:net";
import type { SocketAddress } from "../base/socket-address.ts";

const DNS_PORT = 53;

/** The nameservers of a resolv.conf, in order: resolv.conf(5). It knows no ports. */
export function readNameservers(text: string): readonly SocketAddress[] {
  const addresses = Array.from(
    text.matchAll(/^[ \t]*nameserver[ \t]+([^ \t\r\n#;]+)/gm),
    ([, address]) => address,
  );
  return addresses.flatMap((address): SocketAddress[] => {
    const family = isIP(address);
    return family === 4 || family === 6 ? [{ family, address, port: DNS_PORT }] : [];
  });
}
