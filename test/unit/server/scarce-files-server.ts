import { DnsServer } from "../../../src/server/dns-server.ts";
import { createContext, loopback } from "./test-server.ts";

/** A server in a process of its own, so that a test can limit its open files. Tells its sockets and serves until left alone. */
const server = new DnsServer([loopback()], createContext());
await server.start();
process.send?.(server.status());
process.on("disconnect", () => process.exit());
