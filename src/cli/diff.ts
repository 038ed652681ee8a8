import { readFile } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import { systemClock } from "../base/clock.ts";
import type { SocketAddress } from "../base/socket-address.ts";
import { formatSocketAddress } from "../config/addresses.ts";
import { formatType } from "../dns/mnemonics.ts";
import type { ComparedAnswer } from "./compared-answer.ts";
import { comparedAnswer, isSameAnswer } from "./compared-answer.ts";
import type { Console, ExitCode } from "./console.ts";
import { EXIT_DONE, EXIT_FAILED, EXIT_USAGE } from "./console.ts";
import type { DiffRequest } from "./diff-args.ts";
import { DIFF_HELP, parseDiffArgs, RETRY_DELAYS_MS } from "./diff-args.ts";
import type { Question } from "./dns-exchange.ts";
import { exchange } from "./dns-exchange.ts";
import { wantsHelp } from "./flags.ts";
import { absolute } from "./format-resource.ts";
import type { Comparison, Side } from "./render-diff.ts";
import { renderComparison } from "./render-diff.ts";

/** Asked at the same time: more would look like a flood to a server that limits its clients. */
const MAX_QUESTIONS_IN_FLIGHT = 8;

interface Ports {
  readonly clock: Clock;
  readonly readText: (path: string) => Promise<string>;
}

const SYSTEM: Ports = { clock: systemClock, readText: (path) => readFile(path, "utf8") };

/** `holdfast diff`: exit codes and output as `DIFF_HELP` has them. */
export async function diff({ args, env, out, err }: Console, ports = SYSTEM): Promise<ExitCode> {
  if (wantsHelp(args)) {
    out(DIFF_HELP);
    return EXIT_DONE;
  }
  const parsed = await parseDiffArgs(args, env, ports.readText);
  if ("problem" in parsed) {
    err(`holdfast diff: ${parsed.problem}\n`);
    return EXIT_USAGE;
  }
  const request = parsed.value;
  const comparisons: Comparison[] = [];
  for (let at = 0; at < request.questions.length; at += MAX_QUESTIONS_IN_FLIGHT) {
    const batch = request.questions.slice(at, at + MAX_QUESTIONS_IN_FLIGHT);
    const compared = await Promise.all(batch.map((question) => compare(question, request, ports.clock)));
    comparisons.push(...compared);
    if (!request.asJson) out(compared.map(renderComparison).join(""));
  }
  if (request.asJson) out(`${JSON.stringify(comparisons, undefined, 2)}\n`);
  const problems = comparisons.flatMap(({ server, against }) => [server, against]).flatMap(problemOf);
  for (const problem of new Set(problems)) err(`holdfast diff: ${problem}\n`);
  return comparisons.every(({ outcome }) => outcome === "same") ? EXIT_DONE : EXIT_FAILED;
}

/** Asks until the answers agree or no try is left. */
async function compare(question: Question, request: DiffRequest, clock: Clock): Promise<Comparison> {
  let comparison = await compareOnce(question, request);
  for (const delayMs of RETRY_DELAYS_MS) {
    if (comparison.outcome === "same") break;
    await pause(delayMs, clock);
    comparison = await compareOnce(question, request);
  }
  return comparison;
}

async function compareOnce(question: Question, request: DiffRequest): Promise<Comparison> {
  const [server, against] = await Promise.all([
    askOne(question, request.server, request.timeoutMs),
    askOne(question, request.against, request.timeoutMs),
  ]);
  const outcome =
    "problem" in server || "problem" in against
      ? "failed"
      : isSameAnswer(server, against)
        ? "same"
        : "differs";
  return { name: absolute(question.name), type: formatType(question.type), outcome, server, against };
}

async function askOne(question: Question, server: SocketAddress, timeoutMs: number): Promise<Side> {
  const address = formatSocketAddress(server);
  let answer: ComparedAnswer;
  try {
    answer = comparedAnswer((await exchange(question, { server, useTcp: false, timeoutMs })).reply);
  } catch (error) {
    return { address, problem: error instanceof Error ? error.message : String(error) };
  }
  return { address, ...answer };
}

function problemOf(side: Side): readonly string[] {
  return "problem" in side ? [side.problem] : [];
}

function pause(delayMs: number, clock: Clock): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  clock.setTimer(delayMs, resolve);
  return promise;
}
