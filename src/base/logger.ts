/** Values that survive a JSON line; errors are rendered by the logger. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * The port through which the shell logs. Messages are constant strings that can be searched for; data goes in `fields`.
 * Pure stages do not log: they return facts.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same logger with `component` set on every line. */
  child(component: string): Logger;
}
