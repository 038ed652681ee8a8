import type { Option } from "./options.ts";
import { CONFIG_OPTION, OPTION_KEYS, OPTIONS } from "./options.ts";

const INDENT = " ".repeat(6);

/** `holdfast help agent`, from the table of options. */
export function renderAgentHelp(): string {
  const options = OPTION_KEYS.map((key) => renderOption(OPTIONS[key]));
  return `Usage: holdfast agent [OPTION]...

Runs the agent: learns the cluster's Services and endpoints, keeps a snapshot of them on disk and answers DNS from it,
with or without the API server.

Options:
${[...options, renderOption(CONFIG_OPTION)].join("\n")}

Every option may also be set by an environment variable (HOLDFAST_LISTEN for --listen, commas between several values) or
by a key in the file (listen: [...]). Flags beat the environment, which beats the file, which beats the defaults.

Exit codes: 0 stopped as asked (SIGTERM, SIGINT), 1 it failed, 2 an option is wrong.
`;
}

function renderOption(option: Option<unknown>): string {
  const repeatable = option.repeatable ? " May be repeated." : "";
  const fallback = option.defaultDoc ?? option.defaults.join(", ");
  return `  --${option.name} ${option.placeholder}\n${INDENT}${option.doc}${repeatable}\n${INDENT}Default: ${fallback}.`;
}
