/**
 * How the reflectors reach a server that speaks the Kubernetes list/watch protocol: GET and nothing else, because an agent
 * never writes to the API (invariant I7). A simulation implements this port to be every kind of server.
 */
export interface ApiTransport {
  /**
   * Starts one GET. Never throws, and calls nothing of the handler before it returns.
   *
   * The transport bounds the time to connect and the time to the response headers; from then on the reader has to notice a
   * body that falls silent. Redirects are not followed and nothing that reached the server is retried: every attempt has to
   * be paid for from the `RequestBudget` by the caller, before it calls.
   */
  get(request: ApiRequest, handler: ApiResponseHandler): ApiExchange;
}

export interface ApiExchange {
  /** Idempotent. Nothing of the handler is called afterwards. */
  abort(): void;
}

export interface ApiRequest {
  /** Absolute path with the query string, below whatever base path the server's URL has. */
  readonly path: string;
  /** Default: `application/json`. */
  readonly accept?: string;
}

/** Exactly one of `onEnd` and `onError` is called, once and last. None of these may throw. */
export interface ApiResponseHandler {
  /**
   * At most once, before any data. Header names are in lower case. A 401 does not come here but to `onError`: the transport
   * owns the credentials, forgets the refused ones, and the next request uses new ones.
   */
  onResponse(status: number, headers: Readonly<Record<string, string | undefined>>): void;
  /** The chunk is the receiver's to read until it returns; copy what has to be kept. */
  onData(chunk: Uint8Array): void;
  /** The body is complete, as HTTP framing tells. */
  onEnd(): void;
  /** No answer, or half of one. The message is one line for people, free of secrets. Worth a retry with back-off. */
  onError(error: Error): void;
}
