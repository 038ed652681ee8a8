import { ByteAccumulator } from "./byte-accumulator.ts";

const LINE_FEED = 0x0a;
/** etcd takes objects of 1.5 MiB; a line of more than this is not an object of a cluster. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024;

/** What a line's reader may answer: undefined to go on, a problem to stop. */
export type Problem = string | undefined;

/**
 * Framing of a watch: one JSON document a line (Kubernetes API concepts, "Efficient detection of changes").
 * Works on bytes, so that a chunk may end anywhere, also within a character.
 */
export class JsonLines {
  readonly #onLine: (line: string) => Problem;
  readonly #maxLineBytes: number;
  readonly #partial = new ByteAccumulator();

  /** @param onLine  Gets every complete line without its end. What it answers ends the reading at once. */
  constructor(onLine: (line: string) => Problem, maxLineBytes = MAX_LINE_BYTES) {
    this.#onLine = onLine;
    this.#maxLineBytes = maxLineBytes;
  }

  /** @returns The first problem; the reader is of no use after it. */
  push(chunk: Uint8Array): Problem {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      const problem = this.#tooLong(end - start) ?? this.#onLine(this.#partial.takeText(chunk, start, end));
      if (problem !== undefined) return problem;
      start = end + 1;
    }
    const problem = this.#tooLong(chunk.length - start);
    if (problem === undefined) this.#partial.append(chunk, start, chunk.length);
    return problem;
  }

  /** To call at the end of the stream. @returns A problem if it ended within a line. */
  finish(): Problem {
    return this.#partial.length === 0
      ? undefined
      : `the stream ended within a line, after ${this.#partial.length} bytes of it`;
  }

  #tooLong(addedBytes: number): Problem {
    const sizeBytes = this.#partial.length + addedBytes;
    if (sizeBytes <= this.#maxLineBytes) return undefined;
    return `a line of more than ${sizeBytes} bytes came; at most ${this.#maxLineBytes} are accepted`;
  }
}
