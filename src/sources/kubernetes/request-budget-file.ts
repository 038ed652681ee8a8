import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** The file under a `RequestBudget`. Synchronous: a request must not go out before its token is gone. Both throw Node's errors. */
export interface BudgetFile {
  /** For messages. */
  readonly name: string;
  /** Undefined: there is no file yet. */
  read(): string | undefined;
  /** Replaces the content; the text always has the same length. */
  write(text: string): void;
}

export function createBudgetFile(path: string): BudgetFile {
  return {
    name: path,
    read() {
      try {
        return readFileSync(path, "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    write(text) {
      const descriptor = openForUpdate(path);
      try {
        // In place and in one call, without truncating first: a SIGKILL leaves the old text or the new, and a full disk
        // needs no block more than there is.
        writeSync(descriptor, text, 0);
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

function openForUpdate(path: string): number {
  try {
    return openSync(path, "r+");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, "w", 0o600);
  }
}
