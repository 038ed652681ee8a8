import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { systemRandom } from "../base/random.ts";
import { RCODE_NOERROR, TYPE_A } from "../dns/constants.ts";
import { DEMO_HELP, parseDemoArgs } from "./demo-options.ts";
import type { DemoOptions } from "./demo-options.ts";
import { runOutageDrill } from "./outage-drill.ts";
import { probeQuestions } from "./probe-questions.ts";
import { ask } from "./prober.ts";
import { pause } from "./readiness.ts";
import { DemoError, RunningDemo } from "./running-demo.ts";
import { buildSampleCluster, ZONE } from "./sample-cluster.ts";
import { drillScreen, drillStep, keysLine, staleHints, welcomeScreen } from "./screen.ts";

/** `npm start`: shows on one machine, without a cluster, what the agent is for. */

const EXIT_DONE = 0;
const EXIT_FAILED = 1;
const EXIT_MISUSE = 2;

const IO = { clock: systemClock, random: systemRandom };
/** The package; this file runs as `dist/demo.cjs`. */
const ROOT = join(dirname(process.argv[1]), "..");
const CLUSTER = buildSampleCluster();
const FIRST_QUESTION = {
  qname: `web.shop.svc.${ZONE}`,
  qtype: TYPE_A,
  rcode: RCODE_NOERROR,
  rdata: ["10.96.1.10"],
};
const LIVE_POLL_MS = 100;
/** The reflector's longest pause between two attempts, and some. */
const LIVE_TIMEOUT_MS = 60_000;

async function main(): Promise<void> {
  const command = parseDemoArgs(process.argv.slice(2));
  switch (command.type) {
    case "help":
      say(DEMO_HELP);
      return;
    case "misuse":
      process.stderr.write(`${command.problem}\n`);
      process.exitCode = EXIT_MISUSE;
      return;
    case "agent":
      runAgent(command.agentArgs);
      return;
    case "demo":
      // At once: standard input and an interrupted drill would keep the process.
      process.exit(await runDemo(command));
  }
}

/** In the foreground, in this process's place: the terminal's signals reach it by themselves, others are passed on. */
function runAgent(args: readonly string[]): void {
  const agent = spawn(process.execPath, [join(ROOT, "bin", "holdfast.cjs"), "agent", ...args], {
    stdio: "inherit",
  });
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => agent.kill("SIGTERM"));
  agent.on("exit", (code) => {
    process.exitCode = code ?? EXIT_FAILED;
  });
}

/** @returns The exit code. */
async function runDemo(options: DemoOptions): Promise<number> {
  const demo = new RunningDemo(options, ROOT, systemClock);
  const isInterrupted = interruption();
  // Whatever ends this process, nothing that it started stays.
  process.on("exit", () => demo.stopAtOnce());
  try {
    return await Promise.race([isInterrupted, options.outage ? runOnce(demo) : runInteractively(demo)]);
  } catch (error) {
    if (!(error instanceof DemoError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT_FAILED;
  } finally {
    await demo.stop();
  }
}

function interruption(): Promise<number> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.on(signal, () => resolve(EXIT_DONE));
  });
}

async function runOnce(demo: RunningDemo): Promise<number> {
  await demo.start();
  return drill(demo);
}

async function runInteractively(demo: RunningDemo): Promise<number> {
  await demo.start();
  const { outcome, explanation } = await ask(demo.options.listen, FIRST_QUESTION, IO);
  const firstAnswer =
    outcome === "right" ? `first answer after ${process.uptime().toFixed(1)} s` : explanation;
  const { apiUrl, admin } = demo;
  say(welcomeScreen({ cluster: CLUSTER, apiUrl, listen: demo.options.listen, admin, firstAnswer }));
  sayKeys(demo);
  return Promise.race([readKeys(demo), agentEnded(demo)]);
}

async function agentEnded(demo: RunningDemo): Promise<number> {
  throw new DemoError(`The agent ended. It said:\n${await demo.agentEnded()}`);
}

/** One key at a time on a terminal; from a pipe, the same letters. Without any input the demo runs until a signal. */
async function readKeys(demo: RunningDemo): Promise<number> {
  if (process.stdin.isTTY) process.stdin.setRawMode(true);
  for await (const chunk of process.stdin) {
    for (const key of String(chunk)) {
      if (key === "q" || key === "\u0003" || key === "\u0004") return EXIT_DONE;
      if (key === "o" && demo.apiPid !== undefined) {
        await drill(demo);
        say(staleHints(demo.options.listen, demo.admin));
      } else if (key === "r" && demo.apiPid === undefined) await recover(demo);
      else continue;
      sayKeys(demo);
    }
  }
  return new Promise(() => {});
}

/** @returns The exit code: whether any answer was lost or wrong. */
async function drill(demo: RunningDemo): Promise<number> {
  say("\nOutage\n\n");
  let step = 0;
  const report = await runOutageDrill(demo, probeQuestions(CLUSTER), IO, (line) =>
    say(drillStep((step += 1), line)),
  );
  say(drillScreen(report));
  return report.lost + report.wrong === 0 ? EXIT_DONE : EXIT_FAILED;
}

async function recover(demo: RunningDemo): Promise<void> {
  await demo.startApi();
  say(
    `\n  API server back at ${demo.apiUrl} (pid ${demo.apiPid}); the agent tries again by itself, with pauses\n`,
  );
  const startedMs = systemClock.nowMs();
  while (systemClock.nowMs() - startedMs < LIVE_TIMEOUT_MS) {
    const { outcome, isStale } = await ask(demo.options.listen, FIRST_QUESTION, IO);
    if (outcome === "right" && !isStale) {
      say(`  agent live again after ${((systemClock.nowMs() - startedMs) / 1_000).toFixed(1)} s\n`);
      return;
    }
    await pause(LIVE_POLL_MS, systemClock);
  }
  say(`  the agent is not live again after ${LIVE_TIMEOUT_MS / 1_000} s; its status page says why\n`);
}

function sayKeys(demo: RunningDemo): void {
  say(keysLine(demo.apiPid !== undefined, process.stdin.isTTY));
}

function say(text: string): void {
  process.stdout.write(text);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = EXIT_FAILED;
});
