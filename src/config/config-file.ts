import type { Given, GivenOptions } from "./given.ts";
import { InvalidConfig, keyOfName, optionNames, quote, RANK_FILE } from "./given.ts";
import { didYouMean } from "./suggest.ts";
import type { OptionKey } from "./options.ts";
import { OPTIONS } from "./options.ts";

/** A config has a dozen lines; more is another file, and parsing it would cost memory for nothing. */
const MAX_FILE_CHARACTERS = 256 * 1024;

/**
 * The options of a YAML file: one mapping, keys as the flags without their dashes.
 *
 * `yaml` is loaded only here: an agent that is set up by flags alone does not pay for it.
 * @throws {InvalidConfig} naming the file, and the key where there is one.
 */
export async function readConfigFile(
  file: Given,
  readText: (path: string) => Promise<string>,
): Promise<GivenOptions> {
  const [path] = file.texts;
  const text = await readFile(file, path, readText);
  const root = await parseYaml(path, text);
  const options = new Map<OptionKey, Given>();
  for (const [name, value] of Object.entries(root)) {
    const key = keyOfName(name);
    const origin = `key ${name} in ${path}`;
    if (key === undefined)
      throw new InvalidConfig(
        `${path}: unknown key ${quote(name)}${didYouMean(name, optionNames())}; accepted are ${optionNames().join(" ")}`,
      );
    options.set(key, { texts: textsOf(key, value, origin), rank: RANK_FILE, origin });
  }
  return options;
}

async function readFile(
  file: Given,
  path: string,
  readText: (path: string) => Promise<string>,
): Promise<string> {
  let text: string;
  try {
    text = await readText(path);
  } catch (error) {
    throw new InvalidConfig(
      `config: cannot read ${quote(path)} from ${file.origin}: ${firstLine(error)}; accepted is a readable YAML file`,
      { cause: error },
    );
  }
  if (text.length > MAX_FILE_CHARACTERS)
    throw new InvalidConfig(
      `config: ${quote(path)} from ${file.origin} has ${text.length} characters; accepted are at most ${MAX_FILE_CHARACTERS}`,
    );
  return text;
}

async function parseYaml(path: string, text: string): Promise<Record<string, unknown>> {
  const { parse } = await import("yaml");
  let root: unknown;
  try {
    root = parse(text, { maxAliasCount: 0, logLevel: "error" });
  } catch (error) {
    throw new InvalidConfig(`${path}: not valid YAML: ${firstLine(error)}`, { cause: error });
  }
  // An empty file, or one with comments only, sets nothing.
  if (root === null || root === undefined) return {};
  if (typeof root !== "object" || Array.isArray(root))
    throw new InvalidConfig(`${path}: accepted is one mapping of options, such as "ttl: 5"`);
  return root as Record<string, unknown>;
}

function textsOf(key: OptionKey, value: unknown, origin: string): readonly string[] {
  const option = OPTIONS[key];
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (Array.isArray(value) && !option.repeatable)
    throw new InvalidConfig(`${option.name}: ${origin} is a list; accepted is ${option.accepts}`);
  if (values.length === 0)
    throw new InvalidConfig(`${option.name}: ${origin} is an empty list; accepted is ${option.accepts}`);
  return values.map((item) => {
    if (typeof item === "string" || typeof item === "number") return String(item);
    const shown =
      item === null ? "nothing" : typeof item === "object" ? "a nested value" : quote(JSON.stringify(item));
    throw new InvalidConfig(`${option.name}: ${origin} is ${shown}; accepted is ${option.accepts}`);
  });
}

function firstLine(error: unknown): string {
  const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
  return line.replace(/:$/, "");
}
