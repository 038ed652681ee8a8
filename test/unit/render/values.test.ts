import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { parse } from "yaml";
import { isMapping } from "../../../src/render/deep-merge.ts";
import { DEFAULT_VALUES, OPEN_VALUES, VALUES_ELSEWHERE } from "../../../src/render/node-values.ts";

const CHART_VALUES = parse(
  readFileSync(join(import.meta.dirname, "../../../charts/holdfast/values.yaml"), "utf8"),
) as Readonly<Record<string, unknown>>;

/** Not the chart's: what a node has instead of a ServiceAccount and an image. */
const NODE_ONLY: ReadonlySet<string> = new Set(["staticPod", "systemd"]);

/** Every value that is no mapping of named values, by its name. */
function leaves(values: Readonly<Record<string, unknown>>, path = ""): ReadonlyMap<string, unknown> {
  const found = Object.entries(values).flatMap(([key, value]): (readonly [string, unknown])[] => {
    const name = path === "" ? key : `${path}.${key}`;
    if (VALUES_ELSEWHERE.includes(name) || NODE_ONLY.has(name)) return [];
    return isMapping(value) && !OPEN_VALUES.includes(name) ? [...leaves(value, name)] : [[name, value]];
  });
  return new Map(found);
}

suite("the values of a node", () => {
  test("are those of the chart, with its defaults: every one is used, or known to concern no single node", () => {
    assert.deepEqual(Object.fromEntries(leaves(DEFAULT_VALUES)), Object.fromEntries(leaves(CHART_VALUES)));
  });

  test("name nothing that the chart does not have", () => {
    // `enabled` is for charts that this one is a part of.
    const gone = [...VALUES_ELSEWHERE, ...OPEN_VALUES].filter((name) => {
      const found = name
        .split(".")
        .reduce<unknown>((inner, key) => (isMapping(inner) ? inner[key] : undefined), CHART_VALUES);
      return found === undefined && name !== "enabled";
    });
    assert.deepEqual(gone, []);
  });
});
