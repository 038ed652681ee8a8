import type {
  ApiExchange,
  ApiRequest,
  ApiResponseHandler,
  ApiTransport,
} from "../../src/sources/kubernetes/api-transport.ts";

/** A transport whose server is the test: every request is kept, and answered when and how the test says. */
export class ScriptedTransport implements ApiTransport {
  readonly requests: ScriptedRequest[] = [];
  /** Called with each request once it is on its way; answers from here arrive at once, but not before `get` returns. */
  onRequest: ((request: ScriptedRequest) => void) | undefined;
  readonly #later: (run: () => void) => void;
  #taken = 0;

  /** @param later  Runs something after the present call; a fake clock's timer of 0 ms. */
  constructor(later: (run: () => void) => void) {
    this.#later = later;
  }

  get(request: ApiRequest, handler: ApiResponseHandler): ApiExchange {
    const scripted = new ScriptedRequest(request, handler);
    this.requests.push(scripted);
    if (this.onRequest !== undefined) {
      const { onRequest } = this;
      this.#later(() => {
        if (!scripted.isAborted) onRequest(scripted);
      });
    }
    return { abort: () => scripted.abort() };
  }

  /** The next request that the test did not take yet. */
  take(): ScriptedRequest {
    const request = this.requests[this.#taken];
    if (request === undefined) throw new Error(`no request is waiting after the first ${this.#taken}`);
    this.#taken++;
    return request;
  }

  /** Counts all requests so far as taken. */
  skip(): void {
    this.#taken = this.requests.length;
  }

  /** Requests not taken yet, as path and query. */
  get waiting(): string[] {
    return this.requests.slice(this.#taken).map((request) => request.path);
  }
}

export class ScriptedRequest {
  readonly path: string;
  readonly accept: string | undefined;
  readonly url: URL;
  readonly #handler: ApiResponseHandler;
  #isAborted = false;

  constructor(request: ApiRequest, handler: ApiResponseHandler) {
    this.path = request.path;
    this.accept = request.accept;
    this.url = new URL(request.path, "http://api.test");
    this.#handler = handler;
  }

  get isAborted(): boolean {
    return this.#isAborted;
  }

  get isWatch(): boolean {
    return this.url.searchParams.get("watch") === "1";
  }

  /** Of one query parameter; undefined where it is absent. */
  parameter(name: string): string | undefined {
    return this.url.searchParams.get(name) ?? undefined;
  }

  abort(): void {
    this.#isAborted = true;
  }

  open(headers: Readonly<Record<string, string>> = {}): this {
    return this.head(200, headers);
  }

  head(status: number, headers: Readonly<Record<string, string>> = {}): this {
    if (!this.#isAborted) this.#handler.onResponse(status, headers);
    return this;
  }

  send(body: string | Uint8Array): this {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    if (this.#isAborted) return this;
    // The port lets the reader have the chunk for the time of the call only.
    const chunk = Uint8Array.from(bytes);
    this.#handler.onData(chunk);
    chunk.fill(0x3f);
    return this;
  }

  /** One event of a watch. */
  event(type: string, object: unknown): this {
    return this.send(`${JSON.stringify({ type, object })}\n`);
  }

  end(): void {
    if (!this.#isAborted) this.#handler.onEnd();
  }

  /** A whole answer. */
  answer(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): void {
    this.head(status, headers)
      .send(typeof body === "string" ? body : JSON.stringify(body))
      .end();
  }

  /** A Status object, as the API server sends with every error. */
  refuse(code: number, reason: string, message = "", headers: Readonly<Record<string, string>> = {}): void {
    this.answer(
      { kind: "Status", apiVersion: "v1", status: "Failure", message, reason, code },
      code,
      headers,
    );
  }

  fail(message = "connect ECONNREFUSED 10.96.0.1:443"): void {
    if (!this.#isAborted) this.#handler.onError(new Error(message));
  }
}
