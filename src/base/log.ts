import { pino } from "pino";
import type { LogFields, Logger } from "./logger.ts";

export interface LogOptions {
  readonly level: "trace" | "debug" | "info" | "warn" | "error";
  readonly format: "json" | "pretty";
  /** Milliseconds since 1970 (`Clock.wallMs`). */
  readonly wallMs: () => number;
  /** Where lines go instead of standard error. */
  readonly destination?: LogDestination;
}

/** Takes one line, with its line feed. */
interface LogDestination {
  write(line: string): unknown;
}

const STANDARD_ERROR = 2;
/** Lines that wait for a reader of standard error; what comes on top is dropped. */
const MAX_BUFFERED_OCTETS = 1024 * 1024;

/** Of one message of one component, this many lines pass in one window; what follows is counted instead. */
const BURST_LINES = 20;
const WINDOW_MS = 60_000;

/**
 * Pino behind the `Logger` port: one JSON line per event (`level ts component ...fields msg`, errors as
 * `error: {code, message, stack}`), or the same in colours for people. Lines go to standard error: standard output belongs
 * to what a command prints.
 *
 * Credentials are taken out of the whole line, wherever they hide (a field, a message of the TLS layer, a stack), and a
 * message that repeats is cut to `BURST_LINES` a minute: the next one that passes tells how many were not.
 */
export async function createLogger(options: LogOptions): Promise<Logger> {
  const destination = await openDestination(options);
  const log = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"ts":"${new Date(options.wallMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      errorKey: "error",
      serializers: { error: serializeError },
      hooks: { streamWrite: redact },
    },
    destination,
  );
  return new PinoLogger(log, "", new RepetitionLimit(options.wallMs));
}

/** Replaces bearer tokens, JSON web tokens, private keys and the values of fields that are secret by their name. */
export function redact(line: string): string {
  return line
    .replaceAll(/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, "$1 [redacted]")
    .replaceAll(/\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?/g, "[redacted]")
    .replaceAll(
      /-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?=")|$)/gs,
      "[redacted]",
    )
    .replaceAll(SECRET_FIELD, '$1"[redacted]"');
}

const SECRET_FIELD =
  /("(?:[\w-]*token|authorization|password|[\w-]*secret|(?:client-?)?key-?data)":\s*)"(?:[^"\\]|\\.)*"/gi;

class PinoLogger implements Logger {
  readonly #log: pino.Logger;
  readonly #component: string;
  readonly #limit: RepetitionLimit;

  constructor(log: pino.Logger, component: string, limit: RepetitionLimit) {
    this.#log = log;
    this.#component = component;
    this.#limit = limit;
  }

  debug(message: string, fields: LogFields = {}): void {
    // Not limited: whoever turns debug on wants all of it.
    this.#log.debug(fields, message);
  }

  info(message: string, fields: LogFields = {}): void {
    this.#limited("info", message, fields);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#limited("warn", message, fields);
  }

  error(message: string, fields: LogFields = {}): void {
    this.#limited("error", message, fields);
  }

  child(component: string): Logger {
    return new PinoLogger(this.#log.child({ component }), component, this.#limit);
  }

  #limited(level: "info" | "warn" | "error", message: string, fields: LogFields): void {
    const suppressed = this.#limit.admit(`${this.#component} ${message}`);
    if (suppressed === undefined) return;
    this.#log[level](suppressed === 0 ? fields : { ...fields, suppressed }, message);
  }
}

/** Counts lines by message. Messages are constants, so the map is small; the cap is for the one that is not. */
class RepetitionLimit {
  readonly #wallMs: () => number;
  readonly #windows = new Map<string, { startMs: number; lines: number }>();

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  /** Lines of this message that were left out since one passed; undefined: leave this one out too. */
  admit(key: string): number | undefined {
    const nowMs = this.#wallMs();
    const window = this.#windows.get(key);
    // A wall clock set back must not silence a message for longer than a window.
    if (window !== undefined && Math.abs(nowMs - window.startMs) < WINDOW_MS) {
      window.lines++;
      return window.lines <= BURST_LINES ? 0 : undefined;
    }
    if (this.#windows.size >= 1000) this.#windows.clear();
    this.#windows.set(key, { startMs: nowMs, lines: 1 });
    return Math.max(0, (window?.lines ?? 0) - BURST_LINES);
  }
}

async function openDestination(options: LogOptions): Promise<LogDestination> {
  const lines = options.destination ?? openStandardError();
  if (options.format === "json") return lines;
  // Its formatter, not its transport: transports run in a thread of their own and do not survive bundling.
  const { prettyFactory } = await import("pino-pretty");
  const toPretty = prettyFactory({
    colorize:
      options.destination === undefined && process.stderr.isTTY && process.env["NO_COLOR"] === undefined,
    timestampKey: "ts",
    translateTime: "SYS:HH:MM:ss.l",
    errorLikeObjectKeys: ["error"],
    ignore: "component",
    messageFormat: "{if component}{component}: {end}{msg}",
    singleLine: true,
  });
  return { write: (line) => lines.write(toPretty(line)) };
}

/** Written off the thread, which is the one that answers: a reader that stands still must not stop it. */
function openStandardError(): LogDestination {
  const destination = pino.destination({ fd: STANDARD_ERROR, sync: false, maxLength: MAX_BUFFERED_OCTETS });
  // Standard error on a full disk: there is nowhere left to say so, and without a listener the process would end.
  destination.on("error", () => {});
  return destination;
}

function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  const cause = error.cause === undefined ? {} : { cause: serializeError(error.cause) };
  return { ...(code === undefined ? {} : { code }), message: error.message, stack: error.stack, ...cause };
}
