import type { Document, Pair } from "yaml";
import { isMap, isScalar, isSeq } from "yaml";
import type { EditContext } from "./collection-edits.ts";
import type { PodTemplate } from "./pod-templates.ts";
import { parseManifests, podTemplates } from "./pod-templates.ts";
import { SourceText } from "./source-text.ts";
import { colonEnd, dashOffset, find, keyRange } from "./yaml-nodes.ts";
import type { BlockStyle, FlowStyle } from "./yaml-style.ts";
import { USUAL_FLOW } from "./yaml-style.ts";

/** What `inject` and `uninject` give back. */
export interface Transformed {
  readonly text: string;
  /** Pod templates that stay as they are, and why. */
  readonly skipped: readonly { readonly object: string; readonly reason: string }[];
}

export interface Manifests {
  readonly source: SourceText;
  readonly templates: readonly PodTemplate[];
}

/** @throws {ManifestProblem} */
export function readManifests(text: string): Manifests {
  return { source: new SourceText(text), templates: podTemplates(parseManifests(text)) };
}

export function contextOf({ document, map }: PodTemplate, { source }: Manifests): EditContext {
  return { source, style: styleOf(map, source), flow: flowStyleOf(document, source) };
}

/** JSON has quotes around its keys; that of programs has no blanks. */
function flowStyleOf({ contents: root }: Document, source: SourceText): FlowStyle {
  const first = isMap(root) && root.flow === true ? root.items[0] : undefined;
  if (first === undefined) return USUAL_FLOW;
  const quotesKeys = isScalar(first.key) && first.key.type === "QUOTE_DOUBLE";
  const gap = quotesKeys && source.text[colonEnd(first)] !== " " ? "" : " ";
  return { quotesKeys, gap };
}

const USUAL_STYLE: BlockStyle = { step: 2, indentsLists: true };

/** As the lines around `containers` are written. */
function styleOf(template: PodTemplate["map"], source: SourceText): BlockStyle {
  const spec = find(template, "spec");
  if (spec.state !== "value" || !isMap(spec.value) || spec.value.flow === true) return USUAL_STYLE;
  const column = (pair: Pair) => source.column(keyRange(pair)[0]);
  const step = column(spec.value.items[0]) - column(spec.pair);
  const containers = find(spec.value, "containers");
  const isBlockList =
    containers.state === "value" && isSeq(containers.value) && containers.value.flow !== true;
  const indentsLists = isBlockList
    ? source.column(dashOffset(containers.value, 0)) > column(containers.pair)
    : USUAL_STYLE.indentsLists;
  return { step: step > 0 ? step : USUAL_STYLE.step, indentsLists };
}
