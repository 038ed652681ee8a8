import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import type { Transformed } from "../inject/manifests.ts";
import type { Console, ExitCode } from "./console.ts";
import { EXIT_DONE, EXIT_FAILED, EXIT_USAGE } from "./console.ts";
import { wantsHelp } from "./flags.ts";
import { INJECT_HELP, parseInjectArgs, parseUninjectArgs, UNINJECT_HELP } from "./inject-args.ts";

/** @param path  `-` is standard input. */
type ReadManifest = (path: string) => Promise<string>;

const readManifest: ReadManifest = (path) => (path === "-" ? readAll(process.stdin) : readFile(path, "utf8"));

/** `holdfast inject`: exit codes and output as `INJECT_HELP` has them. */
export async function inject(console: Console, version: string, read = readManifest): Promise<ExitCode> {
  const { args, out, err } = console;
  if (wantsHelp(args)) {
    out(INJECT_HELP);
    return EXIT_DONE;
  }
  const parsed = parseInjectArgs(args, version);
  if ("problem" in parsed) {
    err(`holdfast inject: ${parsed.problem}\n`);
    return EXIT_USAGE;
  }
  const { files, settings } = parsed.value;
  // With it comes the library for YAML, which no other command waits for.
  const { injectManifests } = await import("../inject/inject-manifests.ts");
  return transform("inject", files, (text) => injectManifests(text, settings), { ...console, read });
}

/** `holdfast uninject`: exit codes and output as `UNINJECT_HELP` has them. */
export async function uninject(console: Console, read = readManifest): Promise<ExitCode> {
  const { args, out, err } = console;
  if (wantsHelp(args)) {
    out(UNINJECT_HELP);
    return EXIT_DONE;
  }
  const files = parseUninjectArgs(args);
  if ("problem" in files) {
    err(`holdfast uninject: ${files.problem}\n`);
    return EXIT_USAGE;
  }
  const { uninjectManifests } = await import("../inject/uninject-manifests.ts");
  return transform("uninject", files.value, uninjectManifests, { ...console, read });
}

/** Writes all or nothing: half of the manifests must not reach `kubectl apply`. */
async function transform(
  command: string,
  files: readonly string[],
  change: (text: string) => Transformed,
  { out, err, read }: Console & { readonly read: ReadManifest },
): Promise<ExitCode> {
  const { ManifestProblem } = await import("../inject/manifest-problem.ts");
  const texts: string[] = [];
  let hasFailed = false;
  for (const file of files) {
    const name = file === "-" ? "standard input" : file;
    try {
      const { text, skipped } = change(await read(file));
      texts.push(text);
      for (const { object, reason } of skipped)
        err(`holdfast ${command}: ${name}: ${object} stays as it is: ${reason}\n`);
    } catch (error) {
      if (!(error instanceof ManifestProblem) && !isSystemError(error)) throw error;
      hasFailed = true;
      const reason = isSystemError(error) ? `cannot be read: ${error.message}` : error.message;
      err(`holdfast ${command}: ${name}: ${reason}\n`);
    }
  }
  if (hasFailed) return EXIT_FAILED;
  out(joinDocuments(texts));
  return EXIT_DONE;
}

/** One stream of documents from several files. */
function joinDocuments(texts: readonly string[]): string {
  const [first = "", ...others] = texts;
  return others.reduce((joined, text) => {
    const ended = joined === "" || joined.endsWith("\n") ? joined : `${joined}\n`;
    return /^\uFEFF?(?:---|%)/.test(text) ? ended + text : `${ended}---\n${text}`;
  }, first);
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}
