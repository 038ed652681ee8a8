import type { ApiExchange, ApiTransport } from "../../src/sources/kubernetes/api-transport.ts";

/** What a handler was told, in order. */
export type ExchangeEvent =
  | {
      readonly type: "response";
      readonly status: number;
      readonly headers: Readonly<Record<string, string | undefined>>;
    }
  | { readonly type: "data"; readonly text: string }
  | { readonly type: "end" }
  | { readonly type: "error"; readonly message: string };

/** One GET, with its events to be waited for one after the other. */
export class RecordedExchange {
  readonly exchange: ApiExchange;
  readonly events: ExchangeEvent[] = [];
  #taken = 0;
  #waiting: (() => void) | undefined;

  constructor(transport: ApiTransport, path: string, accept?: string) {
    this.exchange = transport.get(
      { path, ...(accept === undefined ? {} : { accept }) },
      {
        onResponse: (status, headers) => this.#add({ type: "response", status, headers }),
        onData: (chunk) => this.#add({ type: "data", text: Buffer.from(chunk).toString("utf8") }),
        onEnd: () => this.#add({ type: "end" }),
        onError: (error) => this.#add({ type: "error", message: error.message }),
      },
    );
  }

  async next(): Promise<ExchangeEvent> {
    while (this.events.length === this.#taken) {
      await new Promise<void>((resolve) => (this.#waiting = resolve));
    }
    return this.events[this.#taken++];
  }

  /** Waits for the end. @returns The status and the whole body, or the error's message. */
  async outcome(): Promise<{ readonly status?: number; readonly body?: string; readonly error?: string }> {
    let status = 0;
    let body = "";
    for (;;) {
      const event = await this.next();
      if (event.type === "response") status = event.status;
      else if (event.type === "data") body += event.text;
      else if (event.type === "end") return { status, body };
      else return { error: event.message };
    }
  }

  #add(event: ExchangeEvent): void {
    this.events.push(event);
    this.#waiting?.();
  }
}
