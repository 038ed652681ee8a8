import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { ListWatchHandler } from "./list-watch-handler.ts";

/** Longer than the pause between two requests of one reflector, so that it keeps its connection. */
const KEEP_ALIVE_TIMEOUT_MS = 120_000;

/** Where the server listens; port 0 takes a free one. */
export interface ListenAddress {
  readonly address: string;
  readonly port: number;
}

/** The socket side of the list/watch server. */
export class ListWatchServer {
  readonly #handler: ListWatchHandler;
  readonly #server: Server;

  constructor(handler: ListWatchHandler) {
    this.#handler = handler;
    this.#server = createServer(
      { keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS, noDelay: true },
      (request, response) => {
        void handler.handle(request, response);
      },
    );
  }

  /** @returns The port. @throws The system's error, for example EADDRINUSE. */
  async start({ address, port }: ListenAddress): Promise<number> {
    this.#server.listen(port, address);
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends watches in order and closes every connection. Idempotent. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#handler.endWatches();
    this.#server.closeIdleConnections();
    const closed = once(this.#server, "close");
    this.#server.closeAllConnections();
    await closed;
  }
}
