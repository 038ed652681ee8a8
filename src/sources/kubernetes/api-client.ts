import type { IncomingMessage } from "node:http";
import type { OutgoingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { Clock, Timer } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { ApiConnection, readSource } from "./api-connection.ts";
import { describeFailure } from "./connection-failure.ts";
import type { ApiExchange, ApiRequest, ApiResponseHandler, ApiTransport } from "./api-transport.ts";
import type { ConfiguredIdentity } from "./cluster-identity.ts";
import type { Credentials, ResolvedCredentials } from "./credentials.ts";

export interface ApiClient extends ApiTransport {
  /** Whom the last response came from: what a snapshot of its objects is to be marked with. Undefined before the first. */
  identity(): ConfiguredIdentity | undefined;
}

export interface ApiClientOptions {
  /** Ours, for the User-Agent: an API server's operator must be able to see who asks. */
  readonly version: string;
}

export interface ApiClientIo {
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly log: Logger;
}

/** For the name, the TCP connection and the TLS handshake together. */
const CONNECT_TIMEOUT_MS = 10_000;
/** kube-apiserver sends the headers of a watch at once; those of a list when it has the list. */
const HEADER_TIMEOUT_MS = 30_000;

/**
 * The transport to a real server: HTTP/1.1 with keep-alive over `node:https`, or over `node:http` where the URL says so.
 *
 * HTTP/1.1, because the ping of HTTP/2 as Node's clients have it notices no half-open connection, and because a module that is not
 * loaded has no CVE. Proxies from the environment are not used: the way to the API server must not depend on one more thing.
 * The token, the CA and the client certificate are read again for each request; there are about forty of those an hour.
 */
export function createApiClient(options: ApiClientOptions, io: ApiClientIo): ApiClient {
  return new HttpApiClient(options, io);
}

class HttpApiClient implements ApiClient {
  readonly #userAgent: string;
  readonly #credentials: Credentials;
  readonly #clock: Clock;
  readonly #log: Logger;
  #connection: ApiConnection | undefined;
  #identity: ConfiguredIdentity | undefined;

  constructor(options: ApiClientOptions, io: ApiClientIo) {
    this.#userAgent = `holdfast/${options.version} (node)`;
    this.#credentials = io.credentials;
    this.#clock = io.clock;
    this.#log = io.log;
  }

  identity(): ConfiguredIdentity | undefined {
    return this.#identity;
  }

  get(request: ApiRequest, handler: ApiResponseHandler): ApiExchange {
    const exchange = new Exchange(handler, this.#clock);
    void this.#start(request, exchange);
    return exchange;
  }

  async #start(request: ApiRequest, exchange: Exchange): Promise<void> {
    try {
      const credentials = await this.#credentials.get();
      if (exchange.isOver) return;
      const connection = this.#connect(credentials);
      const { configDigest } = this.#credentials;
      exchange.run(connection, request.path, this.#headers(request, credentials), (response) => {
        if (response.statusCode === 401) {
          this.#credentials.refuse(credentials);
          return `${connection.target} answered 401: ${credentials.presents} was refused (expired?)`;
        }
        this.#identity = { caFingerprint: connection.caFingerprint, configDigest };
        return undefined;
      });
    } catch (error) {
      exchange.fail(error instanceof Error ? error.message : String(error));
    }
  }

  #connect(credentials: ResolvedCredentials): ApiConnection {
    const previous = this.#connection;
    const connection = previous?.refreshed(credentials) ?? new ApiConnection(credentials);
    if (connection === previous) return connection;
    this.#connection = connection;
    previous?.retire();
    if (connection.isEncrypted && credentials.skipTlsVerify) {
      this.#log.warn("the API server's certificate is not verified (insecure-skip-tls-verify)", {
        server: connection.target,
      });
    }
    return connection;
  }

  #headers({ accept }: ApiRequest, credentials: ResolvedCredentials): OutgoingHttpHeaders {
    const headers: OutgoingHttpHeaders = {
      ...credentials.headers,
      Accept: accept ?? "application/json",
      "User-Agent": this.#userAgent,
    };
    if (credentials.token === undefined) return headers;
    const token = readSource(credentials.token).trim();
    // Node would refuse the header too, with less to go by.
    if (!/^[\x21-\x7e]+$/.test(token)) throw new Error(`${credentials.presents} is empty or not a token`);
    headers["Authorization"] = `Bearer ${token}`;
    return headers;
  }
}

/** One request and its response, until the handler has been told how it ended. */
class Exchange implements ApiExchange {
  readonly #handler: ApiResponseHandler;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #destroy: (() => void) | undefined;
  /** The request may not go out again. */
  #isFinal = false;
  isOver = false;

  constructor(handler: ApiResponseHandler, clock: Clock) {
    this.#handler = handler;
    this.#clock = clock;
  }

  /** @param judge The problem with a response that is not the handler's to see. */
  run(
    connection: ApiConnection,
    path: string,
    headers: OutgoingHttpHeaders,
    judge: (response: IncomingMessage) => string | undefined,
  ): void {
    const { target } = connection;
    const request = connection.request(path, headers);
    this.#destroy = () => request.destroy();
    this.#limit(CONNECT_TIMEOUT_MS, `no connection to ${target}`);
    request.on("error", (error) => {
      if (this.isOver) return;
      // The server had closed the idle connection, and the news met our request on the way: it has not been served, so it
      // goes out again, on a new connection (as Go's transport does; Node's documentation of `request.reusedSocket`).
      if (request.reusedSocket && isCut(error) && !this.#isFinal) {
        this.#isFinal = true;
        connection.closeIdle();
        this.run(connection, path, headers, judge);
      } else this.fail(describeFailure(error, target));
    });
    request.on("socket", (socket: Socket) => {
      const onConnected = (): void => this.#limit(HEADER_TIMEOUT_MS, `no response from ${target}`);
      if (request.reusedSocket) onConnected();
      else socket.once(connection.isEncrypted ? "secureConnect" : "connect", onConnected);
    });
    request.on("response", (response) => {
      this.#isFinal = true;
      this.#timer?.cancel();
      const problem = judge(response);
      if (problem === undefined) this.#receive(response, target);
      else this.fail(problem);
    });
    request.end();
  }

  abort(): void {
    this.isOver = true;
    this.#timer?.cancel();
    this.#destroy?.();
  }

  /** @param problem One line. */
  fail(problem: string): void {
    if (this.isOver) return;
    this.abort();
    this.#handler.onError(new Error(problem));
  }

  #limit(timeoutMs: number, problem: string): void {
    this.#timer?.cancel();
    if (this.isOver) return;
    this.#timer = this.#clock.setTimer(timeoutMs, () => this.fail(`${problem} within ${timeoutMs / 1000} s`));
  }

  /** The handler reads each chunk before the next one is taken from the socket: what it cannot follow, the server waits for. */
  #receive(response: IncomingMessage, target: string): void {
    if (this.isOver) return;
    const cut = `${target} closed the connection in the middle of a response`;
    response.on("data", (chunk: Buffer) => {
      if (!this.isOver) this.#handler.onData(chunk);
    });
    response.on("end", () => {
      if (this.isOver) return;
      this.isOver = true;
      this.#handler.onEnd();
    });
    response.on("error", () => this.fail(cut));
    response.on("close", () => this.fail(cut));
    this.#handler.onResponse(response.statusCode ?? 0, plainHeaders(response));
  }
}

function isCut(error: NodeJS.ErrnoException): boolean {
  return error.code === "ECONNRESET" || error.code === "EPIPE";
}

/** Only `set-cookie` comes as a list, and nobody here wants it. */
function plainHeaders(response: IncomingMessage): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(response.headers))
    if (typeof value === "string") headers[name] = value;
  return headers;
}
