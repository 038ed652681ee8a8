import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { readDocument, tableAfter } from "../arch/markdown.ts";
import { isUpdatingGolden, updateGolden } from "./golden.ts";
import { CHART } from "./helm.ts";
import { describedValues, tableRows, VALUES } from "./values-table.ts";

interface Schema {
  readonly type?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
}

const SCHEMA = JSON.parse(readFileSync(join(CHART, "values.schema.json"), "utf8")) as Schema;
/** For charts that have this one as a dependency; no value of ours. */
const FOREIGN = ["enabled"];

function resolve(schema: Schema): Schema {
  const [, name] = /^#\/\$defs\/(.+)$/.exec(schema.$ref ?? "") ?? [];
  return name === undefined ? schema : (SCHEMA.$defs?.[name] ?? {});
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

suite("values.yaml", () => {
  test("describes every value, itself or what it is part of", () => {
    const described = new Set(describedValues().map(({ path }) => path));
    const missing: string[] = [];
    const visit = (value: unknown, path: readonly string[]): void => {
      if (described.has(path.join("."))) return;
      if (!isRecord(value) || Object.keys(value).length === 0) missing.push(path.join("."));
      else for (const [key, child] of Object.entries(value)) visit(child, [...path, key]);
    };
    for (const [key, value] of Object.entries(VALUES)) visit(value, [key]);
    assert.deepEqual(missing, []);
  });

  test("has the keys that the schema has", () => {
    const compare = (value: Readonly<Record<string, unknown>>, schema: Schema, path: string): void => {
      const { properties } = resolve(schema);
      // Open to any key: labels, or what the API server checks.
      if (properties === undefined) return;
      const optional = path === "" ? FOREIGN : [];
      const expected = Object.keys(properties).filter((key) => !optional.includes(key));
      // A probe may have more than the defaults set.
      if (!path.startsWith("probes.")) assert.deepEqual(Object.keys(value).sort(), expected.sort(), path);
      for (const [key, child] of Object.entries(value))
        if (isRecord(child)) compare(child, properties[key], path === "" ? key : `${path}.${key}`);
    };
    compare(VALUES, SCHEMA, "");
  });
});

test("values.schema.json leaves no object open that has named keys", () => {
  const open: string[] = [];
  const visit = (schema: unknown, path: string): void => {
    if (!isRecord(schema)) return;
    if (schema["properties"] !== undefined && schema["additionalProperties"] !== false) open.push(path);
    for (const [key, child] of Object.entries(schema)) visit(child, `${path}/${key}`);
  };
  visit(SCHEMA, "");
  // Shared between charts by Helm itself.
  assert.deepEqual(open, ["/properties/global"]);
});

test("README.md of the chart has every value, as values.yaml has it", () => {
  const path = join(CHART, "README.md");
  if (isUpdatingGolden) {
    const text = readFileSync(path, "utf8");
    const rows = tableRows().map((cells) => `| ${cells.join(" | ")} |`);
    const table = ["| Value | Default | |", "| --- | --- | --- |", ...rows].join("\n");
    updateGolden(path, `${text.slice(0, text.indexOf("## Values"))}## Values\n\n${table}\n`);
  }
  const table = tableAfter(readDocument("charts/holdfast/README.md"), "## Values");
  assert.deepEqual(
    table,
    tableRows(),
    "renew with: UPDATE_GOLDEN=1 npx node --test test/chart/values.test.ts",
  );
});
