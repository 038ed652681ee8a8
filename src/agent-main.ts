// First, so that the thread comes up while the rest is loaded.
import { firstSyncWorker } from "./sync/first-sync-worker.ts";
import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { Agent } from "./agent.ts";
import { systemClock } from "./base/clock.ts";
import { createLogger } from "./base/log.ts";
import { agentCommand } from "./cli/agent-command.ts";
import { EXIT_DONE, EXIT_FAILED } from "./cli/console.ts";
import type { AgentConfig } from "./config/agent-config.ts";

/** Entry of the bundle `dist/agent.cjs`: the process around one agent. */
async function main(): Promise<void> {
  try {
    const console = {
      args: process.argv.slice(3),
      env: process.env,
      out: (text: string) => void process.stdout.write(text),
      err: (text: string) => void process.stderr.write(text),
    };
    process.exitCode = await agentCommand(console, process.stderr.isTTY, runAgent);
  } catch (error) {
    process.stderr.write(`holdfast agent: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = EXIT_FAILED;
  }
}

async function runAgent(config: AgentConfig): Promise<number> {
  const log = await createLogger({
    level: config.logLevel,
    format: config.logFormat,
    wallMs: () => systemClock.wallMs(),
  });
  // Nothing that we did not foresee ends the answers (invariant I6): it is loud, and the DNS loop turns on.
  process.on("uncaughtException", (error) => log.error("unexpected error; the agent goes on", { error }));
  process.on("unhandledRejection", (error) =>
    log.error("unexpected rejection; the agent goes on", { error }),
  );

  const files = {
    syncWorker: join(__dirname, "sync-worker.cjs"),
    firstSyncWorker,
    credentialsWorker: join(__dirname, "credentials-worker.cjs"),
  };
  const agent = new Agent(config, files, packageJson.version, log);
  const isAskedToStop = Promise.withResolvers<NodeJS.Signals>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, isAskedToStop.resolve);
  await agent.start();
  const signal = await isAskedToStop.promise;
  log.info("stopping: queued queries are answered first", { signal });
  await agent.stop();
  return EXIT_DONE;
}

void main();
