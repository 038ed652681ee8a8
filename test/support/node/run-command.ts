import { spawn } from "node:child_process";
import { delimiter } from "node:path";

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Null if a signal ended it. */
  readonly exitCode: number | null;
}

export interface CommandOptions {
  /** What it reads; default: nothing. */
  readonly stdin?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** It is killed then, and that is an error; default: 120,000. */
  readonly timeoutMs?: number;
}

/** With the directories of `ip`, `nft` and `runc`, which a user's PATH may lack. */
export function systemEnvironment(): NodeJS.ProcessEnv {
  const path = [process.env["PATH"] ?? "", "/usr/sbin", "/sbin"].join(delimiter);
  return { ...process.env, PATH: path };
}

const DEFAULT_TIMEOUT_MS = 120_000;

/** Runs a program to its end. Failing is a result; only a program that cannot be started, or takes too long, is an error. */
export async function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const child = spawn(file, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: options.env ?? systemEnvironment(),
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  // A program that ends without reading its input breaks the pipe.
  child.stdin.on("error", () => undefined).end(options.stdin ?? "");
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  if (exitCode === null && child.signalCode === "SIGKILL")
    throw new Error(`${commandLine(file, args)} was killed: it may take ${timeoutMs} ms\n${stderr}`);
  return { stdout, stderr, exitCode };
}

/** The same for a program that must succeed; gives its output. */
export async function runToSuccess(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await runCommand(file, args, options);
  if (result.exitCode === 0) return result.stdout;
  const { stdout, stderr } = result;
  throw new Error(`${commandLine(file, args)} failed with ${result.exitCode}:\n${stderr || stdout}`);
}

function commandLine(file: string, args: readonly string[]): string {
  return [file, ...args].join(" ").slice(0, 300);
}
