/** The process as a command sees it: tests run commands without one. */
export interface Console {
  /** The words behind the command's name. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  /** For messages; standard output is for results. */
  readonly err: (text: string) => void;
}

export const EXIT_DONE = 0;
export const EXIT_FAILED = 1;
/** Called wrongly, or a setting is not valid. */
export const EXIT_USAGE = 2;
export type ExitCode = typeof EXIT_DONE | typeof EXIT_FAILED | typeof EXIT_USAGE;
