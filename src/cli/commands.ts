import { renderAgentHelp } from "../config/help.ts";
import { quote } from "../config/given.ts";
import { didYouMean } from "../config/suggest.ts";
import type { Console, ExitCode } from "./console.ts";
import { EXIT_DONE, EXIT_USAGE } from "./console.ts";
import { DIFF_HELP } from "./diff-args.ts";
import { diff } from "./diff.ts";
import { INJECT_HELP, UNINJECT_HELP } from "./inject-args.ts";
import { inject, uninject } from "./inject.ts";
import { LOOKUP_HELP } from "./lookup-args.ts";
import { lookup } from "./lookup.ts";
import { RENDER_HELP } from "./render-args.ts";
import { render } from "./render.ts";

interface Command {
  readonly name: string;
  readonly summary: string;
  readonly help: () => string;
  /** Missing for `agent`: it is a bundle of its own, which `bin/holdfast.cjs` starts. */
  readonly run?: (console: Console, version: string) => Promise<ExitCode>;
}

const COMMANDS: readonly Command[] = [
  { name: "agent", summary: "Answer the cluster's DNS names on this node.", help: renderAgentHelp },
  {
    name: "lookup",
    summary: "Ask a DNS server, by default the agent on this machine.",
    help: () => LOOKUP_HELP,
    run: lookup,
  },
  {
    name: "diff",
    summary: "Ask two DNS servers the same and say where their answers differ.",
    help: () => DIFF_HELP,
    run: (console) => diff(console),
  },
  {
    name: "inject",
    summary: "Change manifests so that their pods ask the agent.",
    help: () => INJECT_HELP,
    run: (console, version) => inject(console, version),
  },
  {
    name: "uninject",
    summary: "Take away from manifests what inject added.",
    help: () => UNINJECT_HELP,
    run: (console) => uninject(console),
  },
  {
    name: "render",
    summary: "Print a static pod or systemd units that run the agent on a node.",
    help: () => RENDER_HELP,
    run: (console, version) => render(console, version),
  },
];

const WORDS = [...COMMANDS.map(({ name }) => name), "help", "--help", "--version"];

/** `holdfast ...`, but for `holdfast agent`. */
export async function runCommand(console: Console, version: string): Promise<ExitCode> {
  const [word, ...rest] = console.args;
  if (word === undefined) {
    console.err(renderOverview());
    return EXIT_USAGE;
  }
  if (word === "--version" || word === "-V") {
    console.out(`holdfast ${version}\n`);
    return EXIT_DONE;
  }
  if (word === "help" || word === "--help" || word === "-h") return help(rest, console);
  const command = COMMANDS.find(({ name }) => name === word);
  if (command === undefined) return unknown(word, console);
  if (command.run !== undefined) return command.run({ ...console, args: rest }, version);
  console.out(command.help());
  return EXIT_DONE;
}

function help([word]: readonly string[], console: Console): ExitCode {
  const command = COMMANDS.find(({ name }) => name === word);
  if (word !== undefined && command === undefined) return unknown(word, console);
  console.out(command?.help() ?? renderOverview());
  return EXIT_DONE;
}

function unknown(word: string, console: Console): ExitCode {
  const what = word.startsWith("-") ? "flag" : "command";
  console.err(
    `holdfast: unknown ${what} ${quote(word)}${didYouMean(word, WORDS)}; accepted are ${WORDS.join(" ")}\n`,
  );
  return EXIT_USAGE;
}

function renderOverview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length)) + 2;
  const list = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
  return `Usage: holdfast COMMAND [OPTION]...

Per-node service discovery for Kubernetes that keeps answering DNS when the control plane is down.

Commands:
${list.join("\n")}

holdfast help COMMAND tells the options of a command, holdfast --version the version.
`;
}
