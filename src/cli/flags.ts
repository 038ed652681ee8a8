import { quote } from "../config/given.ts";
import type { Parsed } from "../config/parsed.ts";
import { didYouMean } from "../config/suggest.ts";

/** What a command accepts: a flag's name, and what its value may be; undefined for a switch, which has none. */
export type FlagForms = Readonly<Record<`--${string}`, string | undefined>>;

/** The words of a command line, sorted. */
export class GivenFlags<Forms extends FlagForms> {
  /** What is no flag, in order. `-` alone is a word: it stands for standard input. */
  readonly words: readonly string[];
  readonly #texts: ReadonlyMap<string, readonly string[]>;

  constructor(words: readonly string[], texts: ReadonlyMap<string, readonly string[]>) {
    this.words = words;
    this.#texts = texts;
  }

  has(flag: keyof Forms & string): boolean {
    return this.#texts.has(flag);
  }

  /** Of a flag that is given twice the last counts, so that an alias can be overruled. */
  last(flag: keyof Forms & string): string | undefined {
    return this.#texts.get(flag)?.at(-1);
  }

  all(flag: keyof Forms & string): readonly string[] {
    return this.#texts.get(flag) ?? [];
  }
}

/** `--name VALUE` and `--name=VALUE`; `--help` belongs to every command and is handled before. */
export function readFlags<Forms extends FlagForms>(
  args: readonly string[],
  forms: Forms,
): Parsed<GivenFlags<Forms>> {
  const names = [...Object.keys(forms), "--help"];
  const words: string[] = [];
  const texts = new Map<string, string[]>();
  for (let at = 0; at < args.length; at++) {
    const [flag, inline] = splitFlag(args[at]);
    if (!flag.startsWith("-") || flag === "-") {
      words.push(flag);
      continue;
    }
    if (!Object.hasOwn(forms, flag))
      return {
        problem: `unknown flag ${quote(flag)}${didYouMean(flag, names)}; accepted are ${names.join(" ")}`,
      };
    const accepts = forms[flag as keyof Forms & `--${string}`];
    if (accepts === undefined && inline !== undefined)
      return { problem: `${flag} takes no value, but has ${quote(inline)}` };
    const value = accepts === undefined ? "" : (inline ?? args[++at]);
    if (value === undefined) return { problem: `${flag} has no value; accepted is ${accepts}` };
    texts.set(flag, [...(texts.get(flag) ?? []), value]);
  }
  return { value: new GivenFlags(words, texts) };
}

export function wantsHelp(args: readonly string[]): boolean {
  return args.includes("--help") || args.includes("-h");
}

function splitFlag(argument: string): readonly [flag: string, value: string | undefined] {
  const equals = argument.startsWith("--") ? argument.indexOf("=") : -1;
  return equals === -1 ? [argument, undefined] : [argument.slice(0, equals), argument.slice(equals + 1)];
}
