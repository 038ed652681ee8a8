import { systemClock } from "../base/clock.ts";
import type { Console, ExitCode } from "./console.ts";
import { EXIT_DONE, EXIT_FAILED, EXIT_USAGE } from "./console.ts";
import type { Question } from "./dns-exchange.ts";
import { exchange } from "./dns-exchange.ts";
import { wantsHelp } from "./flags.ts";
import type { LookupRequest } from "./lookup-args.ts";
import { LOOKUP_HELP, parseLookupArgs } from "./lookup-args.ts";
import type { LookupResult } from "./render-reply.ts";
import { describeReply, renderResult } from "./render-reply.ts";

/** `holdfast lookup`: exit codes and output as `LOOKUP_HELP` has them. */
export async function lookup({ args, env, out, err }: Console): Promise<ExitCode> {
  if (wantsHelp(args)) {
    out(LOOKUP_HELP);
    return EXIT_DONE;
  }
  const parsed = parseLookupArgs(args, env);
  if ("problem" in parsed) {
    err(`holdfast lookup: ${parsed.problem}\n`);
    return EXIT_USAGE;
  }
  const request = parsed.value;
  const questions = request.types.map((type): Question => ({ name: request.name, type }));
  const outcomes = await Promise.allSettled(questions.map((question) => ask(question, request)));
  const results = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  if (request.asJson) out(`${JSON.stringify(results, undefined, 2)}\n`);
  else out(results.map(renderResult).join(""));
  const failures = outcomes.flatMap((outcome) =>
    outcome.status === "rejected" ? [describe(outcome.reason)] : [],
  );
  // A and AAAA fail alike when nothing listens: once is enough.
  for (const failure of new Set(failures)) err(`holdfast lookup: ${failure}\n`);
  return results.some(hasAnswer) ? EXIT_DONE : EXIT_FAILED;
}

async function ask(question: Question, request: LookupRequest): Promise<LookupResult> {
  const startMs = systemClock.nowMs();
  const reply = await exchange(question, request);
  return describeReply(question, reply, request.server, systemClock.nowMs() - startMs);
}

function hasAnswer(result: LookupResult): boolean {
  return result.status === "NOERROR";
}

function describe(reason: unknown): string {
  if (!(reason instanceof Error)) return String(reason);
  return isRefused(reason.cause) ? `${reason.message}; is the agent running?` : reason.message;
}

function isRefused(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED";
}
