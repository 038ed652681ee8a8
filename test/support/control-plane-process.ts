import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

/**
 * Programs that a test or a bench starts. Every one of them is ended by its process id: by `kill`, when its owner closes, and,
 * if the test process itself fails or is interrupted, by the handlers below.
 */
const running = new Set<ChildProcess>();

export interface ManagedProcess {
  readonly pid: number;
  /** `performance.now()` just before the exec. */
  readonly startedAtMs: number;
  /** Resolves with the exit code, or null after a signal. */
  readonly exited: Promise<number | null>;
  hasExited(): boolean;
  /** Sends the signal, if it still runs. */
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal and resolves when the process is gone. Idempotent. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** What it has written so far, both streams. */
  output(): string;
}

export interface ProcessOptions {
  readonly logFile: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Its standard input is a pipe that ends with this process, however that ends: SIGKILL runs no handler. */
  readonly tiedByInput?: boolean;
}

/** Where programs run, and the address at which this process reaches them. */
export interface ProcessHost {
  readonly address: string;
  start(file: string, args: readonly string[], options: ProcessOptions): Promise<ManagedProcess>;
}

export const LOOPBACK_HOST: ProcessHost = {
  address: "127.0.0.1",
  start: async (file, args, options) => startProcess(file, args, options),
};

/** Starts a program whose output goes to `logFile` (appended, so that a restart keeps the history). */
export function startProcess(file: string, args: readonly string[], options: ProcessOptions): ManagedProcess {
  installCleanup();
  const log = openSync(options.logFile, "a");
  const startedAtMs = performance.now();
  const child = spawn(file, args, {
    stdio: [options.tiedByInput === true ? "pipe" : "ignore", log, log],
    env: options.env ?? process.env,
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  });
  closeSync(log);
  running.add(child);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("exit", (code) => {
      running.delete(child);
      resolve(code);
    });
  });
  exited.catch(() => undefined);
  if (child.pid === undefined) throw new Error(`Cannot start ${file}`);
  const hasExited = () => child.exitCode !== null || child.signalCode !== null;
  return {
    pid: child.pid,
    startedAtMs,
    exited,
    hasExited,
    signal: (signal) => void (hasExited() || child.kill(signal)),
    async kill(signal) {
      if (!hasExited()) child.kill(signal);
      await exited;
    },
    output: () => readFileSync(options.logFile, "utf8"),
  };
}

/** Polls `probe` until it gives something other than undefined; a process that ends first is an error with its last lines. */
export async function waitUntil<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  options: { readonly timeoutMs: number; readonly intervalMs?: number; readonly process?: ManagedProcess },
): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    const value = await probe().catch(() => undefined);
    if (value !== undefined) return value;
    const tail = () => options.process?.output().slice(-3000) ?? "";
    if (options.process?.hasExited() === true) throw new Error(`${what}: the process ended\n${tail()}`);
    if (performance.now() > deadline)
      throw new Error(`${what}: not within ${options.timeoutMs} ms\n${tail()}`);
    await pause(options.intervalMs ?? 50);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A loopback TCP port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

let isCleanupInstalled = false;

function installCleanup(): void {
  if (isCleanupInstalled) return;
  isCleanupInstalled = true;
  process.once("exit", endAll);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      endAll();
      process.kill(process.pid, signal);
    });
  }
}

function endAll(): void {
  for (const child of running) child.kill("SIGKILL");
}
