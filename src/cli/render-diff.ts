import type { ComparedAnswer } from "./compared-answer.ts";

/** What one server said, or why it said nothing. */
export type Side = { readonly address: string } & (ComparedAnswer | { readonly problem: string });

/** One question to two servers: what both the text and the JSON output are made of. */
export interface Comparison {
  readonly name: string;
  readonly type: string;
  /** `failed`: at least one server gave no usable reply. */
  readonly outcome: "same" | "differs" | "failed";
  readonly server: Side;
  readonly against: Side;
}

const OUTCOME_WIDTH = "differs".length + 1;

/** One line where the answers are the same, else both below it. */
export function renderComparison({ name, type, outcome, server, against }: Comparison): string {
  const head = `${outcome.padEnd(OUTCOME_WIDTH)}${name} ${type}`;
  const lines =
    outcome === "same"
      ? [`${head} ${summaryOf(server)}`]
      : [head, ...renderSide(server, against), ...renderSide(against, server)];
  return `${lines.join("\n")}\n`;
}

function renderSide(side: Side, other: Side): readonly string[] {
  const records = "problem" in side ? [] : side.answer;
  const theirs = new Set("problem" in other ? records : other.answer);
  return [
    `  ${side.address} ${summaryOf(side)}`,
    ...records.map((record) => `    ${theirs.has(record) ? " " : "*"} ${record}`),
  ];
}

function summaryOf(side: Side): string {
  if ("problem" in side) return side.problem;
  const count = side.answer.length;
  return count === 0 ? side.status : `${side.status}, ${count} ${count === 1 ? "record" : "records"}`;
}
