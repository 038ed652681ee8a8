import type {
  ApiExchange,
  ApiRequest,
  ApiResponseHandler,
  ApiTransport,
} from "../sources/kubernetes/api-transport.ts";
import type { SourceTraffic } from "./source-driver.ts";

/** Counts what goes to the API server and how it ends. A fixed set of outcomes, whatever the server answers. */
export class MeteredTransport implements ApiTransport {
  readonly #next: ApiTransport;
  readonly #outcomes = { ok: 0, gone: 0, throttled: 0, denied: 0, failed: 0, unreachable: 0 };
  #watches = 0;

  constructor(next: ApiTransport) {
    this.#next = next;
  }

  traffic(): SourceTraffic {
    return { requestsByOutcome: { ...this.#outcomes }, watchRestarts: this.#watches };
  }

  get(request: ApiRequest, handler: ApiResponseHandler): ApiExchange {
    let hasResponse = false;
    return this.#next.get(request, {
      onResponse: (status, headers) => {
        hasResponse = true;
        this.#outcomes[outcomeOf(status)]++;
        if (status === 200 && request.path.includes("watch=")) this.#watches++;
        handler.onResponse(status, headers);
      },
      onData: (chunk) => handler.onData(chunk),
      onEnd: () => handler.onEnd(),
      onError: (error) => {
        if (!hasResponse) this.#outcomes.unreachable++;
        handler.onError(error);
      },
    });
  }
}

function outcomeOf(status: number): "ok" | "gone" | "throttled" | "denied" | "failed" {
  if (status < 300) return "ok";
  if (status === 410) return "gone";
  if (status === 429) return "throttled";
  return status === 401 || status === 403 ? "denied" : "failed";
}
