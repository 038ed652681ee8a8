import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { CHART } from "./helm.ts";

/** A value of the chart as `values.yaml` describes it. */
export interface DescribedValue {
  /** Keys with dots between them. */
  readonly path: string;
  readonly default: unknown;
  readonly description: string;
}

const LONGEST_DEFAULT_CHARACTERS = 60;

export const VALUES = parse(readFileSync(join(CHART, "values.yaml"), "utf8")) as Readonly<
  Record<string, unknown>
>;

/** Every value with a `# --` comment, in the order of the file. The comment may go on for lines, and stands before the key. */
export function describedValues(): DescribedValue[] {
  const described: DescribedValue[] = [];
  let parents: { readonly indent: number; readonly key: string }[] = [];
  let comment: string[] | undefined;
  for (const line of readFileSync(join(CHART, "values.yaml"), "utf8").split("\n")) {
    const [, text] = /^\s*# ?(.*)$/.exec(line) ?? [];
    if (text !== undefined) {
      if (text.startsWith("-- ")) comment = [text.slice("-- ".length)];
      else comment?.push(text);
      continue;
    }
    const [, spaces, key] = /^( *)([\w.]+):/.exec(line) ?? [];
    if (key === undefined) continue;
    parents = [...parents.filter(({ indent }) => indent < spaces.length), { indent: spaces.length, key }];
    const path = parents.map((parent) => parent.key);
    if (comment !== undefined)
      described.push({
        path: path.join("."),
        default: valueAt(path),
        description: comment.join(" "),
      });
    comment = undefined;
  }
  return described;
}

function valueAt(path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], VALUES);
}

/** Cells of the table in README.md. */
export function tableRows(): string[][] {
  return describedValues().map(({ path, default: value, description }) => {
    const shown = JSON.stringify(value);
    const fits = shown.length <= LONGEST_DEFAULT_CHARACTERS;
    return [`\`${path}\``, fits ? `\`${shown}\`` : "see values.yaml", description];
  });
}
