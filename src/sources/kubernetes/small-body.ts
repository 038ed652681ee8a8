import type { ApiFailure } from "./api-failure.ts";

const MAX_BODY_BYTES = 256 * 1024;

/** The body of an answer that is known to be small, parsed as a whole. */
export class SmallBody {
  #text = "";

  /** @returns Why the body is not the answer to the question. */
  push(chunk: Uint8Array): ApiFailure | undefined {
    // One byte a character: what is read here is ASCII, and structure cannot get lost.
    this.#text += Buffer.from(chunk).toString("latin1");
    if (this.#text.length <= MAX_BODY_BYTES) return undefined;
    return { type: "content", reason: `an answer has more than ${MAX_BODY_BYTES} bytes` };
  }

  /** Undefined where it is not JSON. */
  parse(): unknown {
    try {
      return JSON.parse(this.#text);
    } catch {
      return undefined;
    }
  }
}
