import { didYouMean } from "./suggest.ts";
import type { Option, OptionKey } from "./options.ts";
import { CONFIG_OPTION, envName, OPTION_KEYS, OPTIONS } from "./options.ts";

/** How strongly a value was meant: a flag beats the environment, which beats the file. */
export const RANK_FILE = 1;
const RANK_ENVIRONMENT = 2;
const RANK_FLAG = 3;

/** What one place says about one option, not yet read. */
export interface Given {
  readonly texts: readonly string[];
  readonly rank: number;
  /** For messages: `--ttl`, `HOLDFAST_TTL` or `key ttl in holdfast.yaml`. */
  readonly origin: string;
}

export type GivenOptions = ReadonlyMap<OptionKey, Given>;

/** Says in one line which option, which value, where it came from and what is accepted. */
export class InvalidConfig extends Error {}

export interface FlagInput {
  readonly options: GivenOptions;
  readonly configFile: Given | undefined;
  readonly wantsHelp: boolean;
}

const KEY_BY_NAME = new Map<string, OptionKey>(OPTION_KEYS.map((key) => [OPTIONS[key].name, key]));
const FLAG_NAMES = [...KEY_BY_NAME.keys(), CONFIG_OPTION.name, "help"];

/**
 * `--name VALUE` and `--name=VALUE`. A flag that is not repeatable may be given once.
 * @throws {InvalidConfig}
 */
export function readFlags(args: readonly string[]): FlagInput {
  const given = new Map<string, string[]>();
  for (let at = 0; at < args.length; at++) {
    const argument = args[at];
    if (argument === "-h" || argument === "--help")
      return { options: new Map(), configFile: undefined, wantsHelp: true };
    if (!argument.startsWith("--")) throw new InvalidConfig(describeStray(argument));
    const equals = argument.indexOf("=");
    const name = argument.slice(2, equals === -1 ? undefined : equals);
    const option = optionOfName(name);
    if (option === undefined)
      throw new InvalidConfig(
        `unknown flag ${quote(`--${name}`)}${didYouMean(name, FLAG_NAMES, "--")}; accepted are ${listFlags()}`,
      );
    const value = equals === -1 ? args[++at] : argument.slice(equals + 1);
    if (value === undefined || (equals === -1 && value.startsWith("--")))
      throw new InvalidConfig(`--${name} has no value; accepted is ${option.accepts}`);
    const texts = given.get(name) ?? [];
    if (texts.length > 0 && !option.repeatable)
      throw new InvalidConfig(
        `--${name} is given twice, ${quote(texts[0])} and ${quote(value)}; accepted is one value`,
      );
    given.set(name, [...texts, value]);
  }
  const options = new Map<OptionKey, Given>();
  for (const [key, name] of namesByKey()) {
    const texts = given.get(name);
    if (texts !== undefined) options.set(key, { texts, rank: RANK_FLAG, origin: `--${name}` });
  }
  const file = given.get(CONFIG_OPTION.name);
  const configFile = file && { texts: file, rank: RANK_FLAG, origin: `--${CONFIG_OPTION.name}` };
  return { options, configFile, wantsHelp: false };
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A variable that is empty counts as not set, as templates leave them. Unknown `HOLDFAST_` variables are not an error: the
 * kubelet sets `HOLDFAST_SERVICE_HOST` and the like in every pod beside a Service of our name.
 */
export function readEnvironment(env: Environment): GivenOptions {
  const options = new Map<OptionKey, Given>();
  for (const key of OPTION_KEYS) {
    const given = readVariable(OPTIONS[key], env);
    if (given !== undefined) options.set(key, given);
  }
  return options;
}

/** One option's variable; commas separate the values of a repeatable one. */
export function readVariable(option: Option<unknown>, env: Environment): Given | undefined {
  const origin = envName(option);
  const text = env[origin]?.trim() ?? "";
  if (text === "") return undefined;
  const texts = option.repeatable ? text.split(",").map((part) => part.trim()) : [text];
  return { texts, rank: RANK_ENVIRONMENT, origin };
}

/** A value in a message: one line, whatever it holds, and not longer than a person reads. */
export function quote(text: string): string {
  const shown = text.length > 100 ? `${text.slice(0, 100)}...` : text;
  return JSON.stringify(shown);
}

export function keyOfName(name: string): OptionKey | undefined {
  return KEY_BY_NAME.get(name);
}

export function optionNames(): readonly string[] {
  return [...KEY_BY_NAME.keys()];
}

function optionOfName(name: string): Option<unknown> | undefined {
  if (name === CONFIG_OPTION.name) return CONFIG_OPTION;
  const key = KEY_BY_NAME.get(name);
  return key && OPTIONS[key];
}

function namesByKey(): readonly (readonly [OptionKey, string])[] {
  return OPTION_KEYS.map((key) => [key, OPTIONS[key].name]);
}

function listFlags(): string {
  return FLAG_NAMES.map((name) => `--${name}`).join(" ");
}

function describeStray(argument: string): string {
  const hint = argument.startsWith("-") ? didYouMean(argument.replace(/^-+/, ""), FLAG_NAMES, "--") : "";
  return `unexpected argument ${quote(argument)}${hint}; accepted are flags: ${listFlags()}`;
}
