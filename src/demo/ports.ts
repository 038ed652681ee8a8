import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import type { SocketAddress } from "../base/socket-address.ts";

export type Protocol = "UDP" | "TCP";

/**
 * Why an address cannot be listened on, or undefined when it can: the system's error code.
 *
 * Asked before the agent is started, which shares its port on purpose (SO_REUSEPORT): beside another agent it would start
 * without a word and get half of the questions.
 */
export async function listenProblem(
  protocol: Protocol,
  { family, address, port }: SocketAddress,
): Promise<string | undefined> {
  try {
    if (protocol === "UDP") {
      const socket = createSocket(family === 6 ? "udp6" : "udp4");
      socket.bind({ address, port, exclusive: true });
      await once(socket, "listening");
      socket.close();
    } else {
      const server = createServer();
      server.listen({ host: address, port, exclusive: true });
      await once(server, "listening");
      server.close();
      await once(server, "close");
    }
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** The first free TCP port above, for a second process beside the first. */
export async function nextFreePort(address: SocketAddress): Promise<SocketAddress> {
  for (let port = address.port + 1; port <= 65_535; port += 1) {
    const candidate = { ...address, port };
    if ((await listenProblem("TCP", candidate)) === undefined) return candidate;
  }
  throw new Error(`Cannot find a free TCP port above ${address.port}`);
}
