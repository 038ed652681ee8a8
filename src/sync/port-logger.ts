import type { LogFields, Logger } from "../base/logger.ts";
import type { LogLevel, SyncMessage } from "./messages.ts";

/**
 * The sync thread's logger: lines go to the DNS thread, which writes them. A second pino in this thread costs 3 MiB on every node, and two
 * writers would tear each other's lines.
 */
export class PortLogger implements Logger {
  readonly #post: (message: SyncMessage) => void;
  readonly #component: string;

  constructor(post: (message: SyncMessage) => void, component: string) {
    this.#post = post;
    this.#component = component;
  }

  debug(message: string, fields?: LogFields): void {
    this.#write("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write("error", message, fields);
  }

  child(component: string): Logger {
    return new PortLogger(this.#post, component);
  }

  #write(level: LogLevel, text: string, fields: LogFields = {}): void {
    this.#post({ type: "log", level, component: this.#component, text, fields: toPlain(fields) });
  }
}

/** Errors lose their code between threads, and other objects may not pass at all. */
function toPlain(fields: LogFields): LogFields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plainValue(value)]));
}

function plainValue(value: unknown): unknown {
  if (value instanceof Error) {
    const { message, stack } = value;
    return { code: (value as { code?: unknown }).code, message, stack };
  }
  return typeof value === "object" || typeof value === "function"
    ? JSON.parse(JSON.stringify(value) ?? "null")
    : value;
}
