import { readFile } from "node:fs/promises";
import type { AgentConfig } from "../config/agent-config.ts";
import { renderAgentHelp } from "../config/help.ts";
import { loadConfig } from "../config/load.ts";
import type { Console } from "./console.ts";
import { EXIT_DONE, EXIT_USAGE } from "./console.ts";

/**
 * `holdfast agent`: settings, then the agent. In a bundle apart from the other commands, which every node would pay for.
 * @returns The exit code: that of `runAgent`, or 2 with one line on standard error when a setting is wrong.
 */
export async function agentCommand(
  { args, env, out, err }: Console,
  isTerminal: boolean,
  runAgent: (config: AgentConfig) => Promise<number>,
): Promise<number> {
  const loaded = await loadConfig({ args, env, isTerminal, readText: (path) => readFile(path, "utf8") });
  if (loaded.outcome === "config") return runAgent(loaded.config);
  if (loaded.outcome === "help") {
    out(renderAgentHelp());
    return EXIT_DONE;
  }
  err(`holdfast agent: ${loaded.message}\n`);
  return EXIT_USAGE;
}
