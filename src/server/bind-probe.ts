import { createSocket, type SocketOptions } from "node:dgram";
import type { SocketAddress } from "../base/socket-address.ts";

/** `dgram` resolves the peer of every send; for a literal that need not wait for the next tick (0.6 us per reply). */
export const lookupLiteral: NonNullable<SocketOptions["lookup"]> = (literal, _options, callback) => {
  callback(null, literal, 0);
};

export function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/**
 * Whether this machine has the address now. A bound socket does not notice that its address went away (and works again
 * when it is back), so somebody has to ask: by binding to it for a moment, which costs the same on a node with a
 * thousand interfaces, where listing them would not.
 */
export async function isAddressPresent(address: SocketAddress): Promise<boolean> {
  // Any other failure, such as no free file descriptor, says nothing about the address.
  return (await tryToBind({ ...address, port: 0 })) !== "EADDRNOTAVAIL";
}

/** Whether a UDP socket is bound there already, of anybody, also of one who would share the port. */
export async function isPortTaken(address: SocketAddress): Promise<boolean> {
  return (await tryToBind(address)) === "EADDRINUSE";
}

/** Binds a UDP socket that shares with nobody, and closes it; gives the code of the error, if there was one. */
function tryToBind(address: SocketAddress): Promise<string | undefined> {
  const { family, address: literal, port } = address;
  const socket = createSocket({
    type: family === 6 ? "udp6" : "udp4",
    ipv6Only: family === 6,
    lookup: lookupLiteral,
  });
  return new Promise((resolve) => {
    socket.on("error", (error: NodeJS.ErrnoException) => {
      socket.close(() => resolve(error.code));
    });
    socket.bind({ port, address: literal, exclusive: true }, () => {
      socket.close(() => resolve(undefined));
    });
  });
}
