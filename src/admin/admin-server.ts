import { lstatSync, unlinkSync } from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { connect } from "node:net";
import type { Clock, Timer } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { formatAdminAddress } from "../config/addresses.ts";
import type { AdminAddress } from "../config/agent-config.ts";
import type { AdminView } from "./admin-view.ts";
import { isHostAllowed } from "./host-check.ts";
import type { AdminReply, MetricsPage } from "./routes.ts";
import { answerRoute } from "./routes.ts";

export interface AdminServerOptions {
  readonly addresses: readonly AdminAddress[];
  readonly view: AdminView;
  readonly metrics: MetricsPage;
  readonly clock: Clock;
  readonly log: Logger;
}

const RETRY_MS = 5000;
const MAX_CONNECTIONS = 32;
const LIMITS = {
  maxHeaderSize: 8192,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5000,
  // How often the two timeouts above are looked at.
  connectionsCheckingInterval: 5000,
};

const HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/**
 * Probes, metrics and the status page over HTTP, on TCP addresses and socket files. Read-only.
 *
 * An address that cannot be opened is logged and tried again; the others, and DNS, go on without it.
 */
export class AdminServer {
  readonly #options: AdminServerOptions;
  readonly #servers = new Map<AdminAddress, Server>();
  readonly #retries = new Map<AdminAddress, Timer>();
  #isStopped = false;

  constructor(options: AdminServerOptions) {
    this.#options = options;
  }

  /** Resolves when every address was tried once; never rejects. */
  async start(): Promise<void> {
    await Promise.all(this.#options.addresses.map((address) => this.#open(address)));
  }

  /** Idempotent. Open connections are closed at once: nobody waits for a status page during a shutdown. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const retry of this.#retries.values()) retry.cancel();
    const servers = [...this.#servers.values()];
    this.#servers.clear();
    await Promise.all(servers.map(closeServer));
  }

  /** What is open now; port 0 is replaced by the port it became. */
  openAddresses(): readonly AdminAddress[] {
    return Array.from(this.#servers, ([address, server]) => boundAddress(address, server));
  }

  async #open(listener: AdminAddress): Promise<void> {
    const { log, clock } = this.#options;
    const address = formatAdminAddress(listener);
    const server = createServer(
      LIMITS,
      (request, response) => void this.#answer(listener, request, response),
    );
    server.maxConnections = MAX_CONNECTIONS;
    try {
      if (listener.type === "unix") await removeStaleSocket(listener.path);
      await listen(server, listener);
    } catch (error) {
      log.error("admin address cannot be opened", { address, error, retryMs: RETRY_MS });
      if (!this.#isStopped)
        this.#retries.set(
          listener,
          clock.setTimer(RETRY_MS, () => void this.#open(listener)),
        );
      return;
    }
    if (this.#isStopped) return closeServer(server);
    server.on("error", (error) => log.error("admin server failed", { address, error }));
    this.#servers.set(listener, server);
    log.info("admin address open", { address: formatAdminAddress(boundAddress(listener, server)) });
  }

  async #answer(listener: AdminAddress, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = checkRequest(listener, request) ?? (await this.#route(request));
    const isHead = request.method === "HEAD";
    const headers = {
      ...HEADERS,
      "Content-Type": reply.contentType,
      "Content-Length": Buffer.byteLength(reply.body),
    };
    response.writeHead(reply.status, reply.status === 405 ? { ...headers, Allow: "GET, HEAD" } : headers);
    response.end(isHead ? undefined : reply.body);
  }

  #route(request: IncomingMessage): Promise<AdminReply> {
    const { view, metrics, clock } = this.#options;
    const [path = "/"] = (request.url ?? "/").split("?", 1);
    return answerRoute(path, {
      view,
      metrics,
      nowWallMs: clock.wallMs(),
      accept: request.headers.accept ?? "",
    });
  }
}

function checkRequest(listener: AdminAddress, request: IncomingMessage): AdminReply | undefined {
  if (!isHostAllowed(request.headers.host, listener))
    return plain(
      403,
      `Host ${JSON.stringify(request.headers.host)} is not one of this address; use the address itself`,
    );
  if (request.method !== "GET" && request.method !== "HEAD") return plain(405, "accepted are GET and HEAD");
  return undefined;
}

function plain(status: number, text: string): AdminReply {
  return { status, contentType: "text/plain; charset=utf-8", body: `${text}\n` };
}

function listen(server: Server, listener: AdminAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const onListening = () => {
      server.off("error", reject);
      resolve();
    };
    if (listener.type === "unix") server.listen({ path: listener.path }, onListening);
    else server.listen({ host: listener.address.address, port: listener.address.port }, onListening);
  });
}

/**
 * A killed process leaves its socket file behind, and binding to it fails. It is removed only when it is a socket and nobody
 * answers on it; anything else stays and lets `listen` fail with the reason.
 */
async function removeStaleSocket(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return;
  const isAlive = await new Promise<boolean>((resolve) => {
    const probe = connect({ path });
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
  });
  if (!isAlive) unlinkSync(path);
}

function boundAddress(listener: AdminAddress, server: Server): AdminAddress {
  const bound = server.address();
  if (listener.type === "unix" || bound === null || typeof bound === "string") return listener;
  return { type: "tcp", address: { ...listener.address, port: bound.port } };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
