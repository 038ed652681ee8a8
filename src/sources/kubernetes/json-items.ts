import { ByteAccumulator } from "./byte-accumulator.ts";
import { MAX_LINE_BYTES, type Problem } from "./json-lines.ts";

/** A list's `metadata` without its items is some hundred bytes. */
const MAX_HEADER_BYTES = 64 * 1024;

/** What may come at each place. */
const EXPECTED_AT = {
  start: "a list's opening brace",
  firstKey: "a field's name",
  key: "a field's name",
  colon: "a colon",
  value: "a value",
  afterValue: "a comma or a closing brace",
  firstItem: "an object or a closing bracket",
  item: "an object",
  afterItem: "a comma or a closing bracket",
  done: "nothing after the list",
} as const;

/** Where the scanner is between two tokens. */
type Place = keyof typeof EXPECTED_AT;
/** What the bytes being collected are. */
type Span = "none" | "key" | "value" | "skipped" | "item";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** What a list says besides its items. Empty strings where it says nothing. */
export interface ListHeader {
  readonly kind: string;
  readonly resourceVersion: string;
  readonly continueToken: string;
}

export interface JsonItemsHandler {
  /** One element of `items`, in order, as soon as its last byte is there. */
  onItem(object: unknown): void;
  /** The list's `kind`, as soon as it is known. */
  onKind(kind: string): Problem;
}

/**
 * Reads a Kubernetes list while it arrives: each element of `items` is parsed alone and can die young.
 *
 * A page of 10,000 EndpointSlices is 45 MB; parsing it whole keeps text and objects alive together, some 400 MB. This
 * scanner knows just enough JSON to find where an item ends; whether the item is JSON is decided by `JSON.parse`.
 */
export class JsonItems {
  readonly #handler: JsonItemsHandler;
  readonly #maxItemBytes: number;
  readonly #collected = new ByteAccumulator();
  #place: Place = "start";
  #span: Span = "none";
  /** Of the open span: brackets open, and whether the last byte was in a string, or after a backslash. */
  #depth = 0;
  #inString = false;
  #escaped = false;
  #key = "";
  #sawItems = false;
  #kind = "";
  #metadata: unknown;

  constructor(handler: JsonItemsHandler, maxItemBytes = MAX_LINE_BYTES) {
    this.#handler = handler;
    this.#maxItemBytes = maxItemBytes;
  }

  /** Complete after `finish` gave no problem. */
  get header(): ListHeader {
    const metadata = (typeof this.#metadata === "object" ? this.#metadata : null) as Record<
      string,
      unknown
    > | null;
    const resourceVersion = metadata?.["resourceVersion"];
    const continueToken = metadata?.["continue"];
    return {
      kind: this.#kind,
      resourceVersion: typeof resourceVersion === "string" ? resourceVersion : "",
      continueToken: typeof continueToken === "string" ? continueToken : "",
    };
  }

  /** @returns The first problem; the scanner is of no use after it. */
  push(chunk: Uint8Array): Problem {
    let at = 0;
    while (at < chunk.length) {
      if (this.#span === "none") {
        const code = chunk[at];
        if (isSpace(code)) {
          at++;
          continue;
        }
        const problem = this.#token(code);
        if (problem !== undefined) return problem;
        // A token that opens a span is its first byte; every other one is consumed.
        if (this.#span === "none") at++;
        continue;
      }
      const end = this.#scan(chunk, at);
      const problem = end < 0 ? this.#keep(chunk, at) : this.#complete(chunk, at, end);
      if (problem !== undefined) return problem;
      if (end < 0) return undefined;
      at = end;
    }
    return undefined;
  }

  /** To call at the end of the body. @returns A problem if the list is not whole. */
  finish(): Problem {
    if (this.#place === "done") return undefined;
    return this.#place === "start" ? "the body is empty" : "the body ended within the list";
  }

  /** Decides on a byte between two spans. */
  #token(code: number): Problem {
    const place = this.#place;
    if (place === "firstKey" || place === "key") {
      if (code === QUOTE) return this.#open("key");
      if (code === CLOSE_BRACE && place === "firstKey") return this.#go("done");
    } else if (place === "value") {
      return this.#openValue(code);
    } else if (place === "firstItem" || place === "item") {
      if (code === OPEN_BRACE) return this.#open("item");
      if (code === CLOSE_BRACKET && place === "firstItem") return this.#go("afterValue");
    } else if (place === "afterItem") {
      if (code === COMMA) return this.#go("item");
      if (code === CLOSE_BRACKET) return this.#go("afterValue");
    } else if (place === "afterValue") {
      if (code === COMMA) return this.#go("key");
      if (code === CLOSE_BRACE) return this.#go("done");
    } else if (place === "start" && code === OPEN_BRACE) return this.#go("firstKey");
    else if (place === "colon" && code === COLON) return this.#go("value");
    return `the body is not a Kubernetes list: expected ${EXPECTED_AT[place]}, got ${showByte(code)}`;
  }

  #openValue(code: number): Problem {
    if (this.#key === "items") {
      if (this.#sawItems) return "the list has items twice";
      this.#sawItems = true;
      if (code === OPEN_BRACKET) return this.#go("firstItem");
      return code === 0x6e
        ? this.#open("value")
        : `items begins with ${showByte(code)}; accepted is a list or null`;
    }
    if (code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || code === COLON) {
      return `the body is not a Kubernetes list: expected a value, got ${showByte(code)}`;
    }
    return this.#open(this.#key === "kind" || this.#key === "metadata" ? "value" : "skipped");
  }

  #go(place: Place): Problem {
    this.#place = place;
    return undefined;
  }

  #open(span: Span): Problem {
    this.#span = span;
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    return undefined;
  }

  /** @returns Where the open span ends in the chunk (exclusive), or -1 if it goes on beyond. */
  #scan(chunk: Uint8Array, start: number): number {
    let depth = this.#depth;
    let inString = this.#inString;
    let escaped = this.#escaped;
    const length = chunk.length;
    for (let at = start; at < length; at++) {
      const code = chunk[at];
      if (inString) {
        if (escaped) escaped = false;
        else if (code === BACKSLASH) escaped = true;
        else if (code === QUOTE) {
          inString = false;
          if (depth === 0) return at + 1;
        }
      } else if (code === QUOTE) inString = true;
      else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
      else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
        // At depth 0 the bracket belongs to what holds this number, boolean or null.
        if (depth === 0) return at;
        if (--depth === 0) return at + 1;
      } else if (depth === 0 && (code === COMMA || isSpace(code))) return at;
    }
    this.#depth = depth;
    this.#inString = inString;
    this.#escaped = escaped;
    return -1;
  }

  /** The span goes on in the next chunk. */
  #keep(chunk: Uint8Array, start: number): Problem {
    if (this.#span === "skipped") return undefined;
    const problem = this.#tooLarge(chunk.length - start);
    if (problem === undefined) this.#collected.append(chunk, start, chunk.length);
    return problem;
  }

  #tooLarge(addedBytes: number): Problem {
    const sizeBytes = this.#collected.length + addedBytes;
    const maxBytes = this.#span === "item" ? this.#maxItemBytes : MAX_HEADER_BYTES;
    if (sizeBytes <= maxBytes) return undefined;
    const what = this.#span === "item" ? "an item" : "a field";
    return `${what} of at least ${sizeBytes} bytes came; at most ${maxBytes} are accepted`;
  }

  #complete(chunk: Uint8Array, start: number, end: number): Problem {
    const span = this.#span;
    if (span === "skipped") {
      this.#span = "none";
      return this.#go("afterValue");
    }
    const problem = this.#tooLarge(end - start);
    if (problem !== undefined) return problem;
    const text = this.#collected.takeText(chunk, start, end);
    this.#span = "none";
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return `${span === "item" ? "an item" : "a field"} of the list is not JSON`;
    }
    return this.#use(span, value);
  }

  #use(span: Span, value: unknown): Problem {
    if (span === "item") {
      this.#handler.onItem(value);
      return this.#go("afterItem");
    }
    if (span === "key") {
      this.#key = String(value);
      return this.#go("colon");
    }
    this.#place = "afterValue";
    if (this.#key === "metadata") this.#metadata = value;
    if (this.#key !== "kind") return undefined;
    this.#kind = typeof value === "string" ? value : "";
    return this.#handler.onKind(this.#kind);
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function showByte(code: number): string {
  return code > 0x20 && code < 0x7f ? `"${String.fromCharCode(code)}"` : `byte ${code}`;
}
