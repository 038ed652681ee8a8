import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";

const STOP_TIMEOUT_MS = 10_000;
const SHOWN_LOG_LINES = 12;

/** A Node process that the demo started, with its output in a file: the demo's screen stays readable. */
export class Child {
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #logFile: string;
  readonly #exited: Promise<unknown>;

  private constructor(process: ChildProcess, pid: number, logFile: string) {
    this.#process = process;
    this.pid = pid;
    this.#logFile = logFile;
    this.#exited = once(process, "exit");
  }

  /**
   * @param args Script and arguments.
   * @param logFile Takes standard error, and standard output unless `pipeOutput`.
   * @throws When the process cannot be started.
   */
  static start(args: readonly string[], logFile: string, options: { pipeOutput: boolean }): Child {
    const log = openSync(logFile, "w");
    try {
      // A pipe on standard input: it closes when this process ends in whatever way, and a child may end with it.
      const stdio = ["pipe", options.pipeOutput ? "pipe" : log, log] as const;
      const child = spawn(process.execPath, args, { stdio: [...stdio] });
      if (child.pid === undefined) throw new Error(`Cannot start ${process.execPath} ${args.join(" ")}`);
      return new Child(child, child.pid, logFile);
    } finally {
      closeSync(log);
    }
  }

  get hasExited(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Resolves when the process is gone. */
  async exited(): Promise<void> {
    await this.#exited;
  }

  /** The first line of standard output; empty when the process ends without one. */
  async firstLine(): Promise<string> {
    let text = "";
    for await (const chunk of this.#process.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
      text += String(chunk);
      if (text.includes("\n")) break;
    }
    return text.split("\n", 1)[0];
  }

  /** SIGTERM, and SIGKILL for one that does not end. */
  async stop(): Promise<void> {
    if (this.hasExited) return;
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  /** SIGKILL: no chance to say goodbye. */
  async kill(): Promise<void> {
    if (this.hasExited) return;
    this.#process.kill("SIGKILL");
    await this.#exited;
  }

  /** The end of what it wrote, to explain why it ended. */
  logTail(): string {
    return readFileSync(this.#logFile, "utf8").trimEnd().split("\n").slice(-SHOWN_LOG_LINES).join("\n");
  }
}
