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
  /** Watches that ended and have no successor yet, by path without query: feeds that share one are counted together. */
  readonly #ended = new Map<string, number>();
  #watchRestarts = 0;

  constructor(next: ApiTransport) {
    this.#next = next;
  }

  traffic(): SourceTraffic {
    return { requestsByOutcome: { ...this.#outcomes }, watchRestarts: this.#watchRestarts };
  }

  get(request: ApiRequest, handler: ApiResponseHandler): ApiExchange {
    const [path, query = ""] = request.path.split("?", 2);
    const isWatch = /(?:^|&)watch=/.test(query);
    let hasResponse = false;
    let isOpen = false;
    const end = () => {
      if (isOpen) this.#ended.set(path, (this.#ended.get(path) ?? 0) + 1);
      isOpen = false;
    };
    const exchange = this.#next.get(request, {
      onResponse: (status, headers) => {
        hasResponse = true;
        this.#outcomes[outcomeOf(status)]++;
        isOpen = isWatch && status === 200;
        if (isOpen) this.#countOpened(path);
        handler.onResponse(status, headers);
      },
      onData: (chunk) => handler.onData(chunk),
      onEnd: () => {
        end();
        handler.onEnd();
      },
      onError: (error) => {
        if (!hasResponse) this.#outcomes.unreachable++;
        end();
        handler.onError(error);
      },
    });
    return {
      abort: () => {
        end();
        exchange.abort();
      },
    };
  }

  #countOpened(path: string): void {
    const ended = this.#ended.get(path) ?? 0;
    if (ended === 0) return;
    this.#ended.set(path, ended - 1);
    this.#watchRestarts++;
  }
}

function outcomeOf(status: number): "ok" | "gone" | "throttled" | "denied" | "failed" {
  if (status < 300) return "ok";
  if (status === 410) return "gone";
  if (status === 429) return "throttled";
  return status === 401 || status === 403 ? "denied" : "failed";
}
