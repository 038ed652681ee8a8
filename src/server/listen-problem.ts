import type { SocketAddress } from "../base/socket-address.ts";

/** `192.0.2.1:53`, `[2001:db8::1]:53`. */
export function formatListenAddress({ family, address, port }: SocketAddress): string {
  return family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** What keeps a socket from being open and what to do about it, in one line. */
export function explainListenProblem(
  error: NodeJS.ErrnoException,
  address: SocketAddress,
  transport: "udp" | "tcp",
): string {
  return `Cannot listen on ${formatListenAddress(address)}/${transport}: ${explainCode(error, address, transport)}`;
}

/** The address a socket is bound to has left the machine. */
export function explainMissingAddress(address: SocketAddress, transport: "udp" | "tcp"): string {
  return `Nobody can reach ${formatListenAddress(address)}/${transport}: ${MISSING_ADDRESS}`;
}

const MISSING_ADDRESS =
  "no interface of this machine has the address. Add it, or choose another listen address.";

function explainCode(error: NodeJS.ErrnoException, address: SocketAddress, transport: string): string {
  switch (error.code) {
    case "EADDRINUSE": {
      const tool = transport === "udp" ? "ss -lunp" : "ss -ltnp";
      return `another process has the port. Stop it ("${tool} sport = :${address.port}" shows it), or choose another listen address.`;
    }
    case "EADDRNOTAVAIL":
      return MISSING_ADDRESS;
    case "EACCES":
    case "EPERM":
      return `permission denied. Ports below 1024 need the capability NET_BIND_SERVICE; choose a higher port, or grant it.`;
    case "EMFILE":
    case "ENFILE":
      return "no file descriptor is left. Raise the limit of open files.";
    default:
      return `${error.message}.`;
  }
}
