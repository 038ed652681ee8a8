import { stringify } from "yaml";

/** How the lines around an insertion are written. */
export interface BlockStyle {
  /** Columns from one level to the next. */
  readonly step: number;
  /** Whether the dashes of a list stand deeper than its key. */
  readonly indentsLists: boolean;
}

/** How collections in brackets are written. */
export interface FlowStyle {
  /** As in JSON. */
  readonly quotesKeys: boolean;
  /** Behind colons and commas. */
  readonly gap: "" | " ";
}

export const USUAL_FLOW: FlowStyle = { quotesKeys: false, gap: " " };

/** `key: value` in block style, one string for each line, without the indentation of the first. */
export function renderBlockPair(key: string, value: unknown, style: BlockStyle): readonly string[] {
  const head = `${renderScalar(key)}:`;
  if (!isCollection(value)) return [`${head} ${renderScalar(value)}`];
  const lines = renderBlock(value, style);
  if (lines === undefined) return [`${head} ${renderFlow(value, USUAL_FLOW)}`];
  const indent = Array.isArray(value) && !style.indentsLists ? 0 : style.step;
  return [head, ...lines.map((line) => " ".repeat(indent) + line)];
}

/** `- value` in block style. */
export function renderBlockItem(value: unknown, style: BlockStyle): readonly string[] {
  const lines = isCollection(value)
    ? (renderBlock(value, style) ?? [renderFlow(value, USUAL_FLOW)])
    : [renderScalar(value)];
  return lines.map((line, index) => (index === 0 ? `- ${line}` : `  ${line}`));
}

/** In flow style, on one line. */
export function renderFlow(value: unknown, style: FlowStyle): string {
  const comma = `,${style.gap}`;
  if (Array.isArray(value)) return `[${value.map((item) => renderFlow(item, style)).join(comma)}]`;
  if (!isCollection(value)) return JSON.stringify(value);
  const pairs = Object.entries(value).map(([key, inner]) => renderFlowPair(key, inner, style));
  return `{${pairs.join(comma)}}`;
}

export function renderFlowPair(key: string, value: unknown, style: FlowStyle): string {
  const text = !style.quotesKeys && /^[A-Za-z][\w./-]*$/.test(key) ? key : JSON.stringify(key);
  return `${text}:${style.gap}${renderFlow(value, style)}`;
}

/** Undefined for an empty collection, which has no block style. */
function renderBlock(value: object, style: BlockStyle): readonly string[] | undefined {
  const lines = Array.isArray(value)
    ? value.flatMap((item) => renderBlockItem(item, style))
    : Object.entries(value).flatMap(([key, inner]) => renderBlockPair(key, inner, style));
  return lines.length === 0 ? undefined : lines;
}

function renderScalar(value: unknown): string {
  // What has double quotes inside is easier to read between single ones.
  const singleQuote = typeof value === "string" && value.includes('"');
  return stringify(value, { lineWidth: 0, singleQuote }).trimEnd();
}

function isCollection(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
