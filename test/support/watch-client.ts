import { once } from "node:events";
import { get } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import type { Interface } from "node:readline";

/** One line of a watch response, as far as the tests look at it. */
export interface WatchLine {
  readonly type: string;
  readonly object: {
    readonly kind: string;
    readonly code?: number;
    readonly reason?: string;
    readonly message?: string;
    readonly metadata: {
      readonly name?: string;
      readonly resourceVersion?: string;
      readonly annotations?: Readonly<Record<string, string>>;
    };
    readonly [field: string]: unknown;
  };
}

/** A client of a watch that reads at its own pace, with no reflector between it and the server. */
export class WatchClient {
  readonly status: number;
  readonly #request: ClientRequest;
  readonly #response: IncomingMessage;
  #lines: AsyncIterator<string> | undefined;
  #interface: Interface | undefined;

  private constructor(request: ClientRequest, response: IncomingMessage) {
    this.#request = request;
    this.#response = response;
    this.status = response.statusCode ?? 0;
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<WatchClient> {
    const request = get(url, { headers, agent: false });
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return new WatchClient(request, response);
  }

  /** The next event; undefined when the server ended the response. @throws When the connection was cut. */
  async next(): Promise<WatchLine | undefined> {
    this.#interface ??= createInterface({ input: this.#response });
    this.#lines ??= this.#interface[Symbol.asyncIterator]();
    const { value, done } = await this.#lines.next();
    return done === true ? undefined : (JSON.parse(value) as WatchLine);
  }

  /** Everything up to the end of the response. */
  async rest(): Promise<WatchLine[]> {
    const lines: WatchLine[] = [];
    for (let line = await this.next(); line !== undefined; line = await this.next()) lines.push(line);
    return lines;
  }

  /** Reads on after a pause until the connection is gone. @returns Whether the response ended in order. */
  async drain(): Promise<boolean> {
    this.#response.on("error", () => {});
    this.#response.resume();
    await new Promise<void>((resolve) => {
      if (this.#response.destroyed) resolve();
      else this.#response.on("close", resolve);
    });
    return this.#response.complete;
  }

  close(): void {
    this.#request.destroy();
    this.#interface?.close();
  }
}

/** `ADDED web`, for comparing whole streams. */
export function summary({ type, object }: WatchLine): string {
  return `${type} ${object.metadata.name ?? object.reason ?? ""}`.trim();
}
