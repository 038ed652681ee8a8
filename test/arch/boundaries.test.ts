import assert from "node:assert/strict";
import { test } from "node:test";
import { codeIn, readDocument, tableAfter } from "./markdown.ts";
import { COMPOSITION, readSource, sourceFiles, sourceImports, stageOf } from "./source-imports.ts";

/** What ARCHITECTURE.md says of imports is what `src` does: no more and no less. */

const ARCHITECTURE = readDocument("ARCHITECTURE.md");
const IMPORTS = sourceImports();
const MAX_CODE_LINES = 500;

function sorted(values: Iterable<string>): string[] {
  return [...new Set(values)].sort();
}

test("the table of imports in ARCHITECTURE.md is what the imports show", () => {
  const stages = sorted(sourceFiles().map(stageOf));
  const actual = stages.map((stage) => {
    const imports = IMPORTS.filter(({ from }) => stageOf(from) === stage);
    const ours = imports.filter(({ isOurs }) => isOurs).map(({ to }) => stageOf(to));
    return {
      stage,
      imports: sorted(ours.filter((to) => to !== stage)),
      packages: sorted(imports.map(({ to, isOurs }) => (isOurs ? "" : packageOf(to))).filter(Boolean)),
    };
  });
  const documented = tableAfter(ARCHITECTURE, "## Who may import whom").map(([stage, imports, packages]) => ({
    stage: codeIn(stage)[0],
    imports: codeIn(imports).sort(),
    packages: codeIn(packages).sort(),
  }));
  assert.deepEqual(
    documented.toSorted((left, right) => left.stage.localeCompare(right.stage, "en")),
    actual.toSorted((left, right) => left.stage.localeCompare(right.stage, "en")),
  );
});

test("every program loads the directories that ARCHITECTURE.md says", () => {
  for (const [program, directories] of tableAfter(ARCHITECTURE, "Each program is a bundle")) {
    const [entry] = codeIn(program);
    assert.deepEqual(sorted(loadedFrom(entry).map(stageOf)), codeIn(directories).sort(), entry);
  }
});

test("the DNS thread loads nothing that lists, parses, compiles or persists", () => {
  const loaded = loadedFrom("agent-main.ts").filter((file) =>
    /^(?:sources|guard|snapshot)\/|^sync\/(?!sync-thread|sync-worker-thread|first-sync-worker|thread-priority)|^answers\/compile\.ts$/.test(
      file,
    ),
  );
  assert.deepEqual(loaded, []);
});

test("no directory depends on itself through another", () => {
  const edges = new Map<string, Set<string>>();
  for (const { from, to, isOurs } of IMPORTS) {
    if (!isOurs || stageOf(from) === stageOf(to)) continue;
    const targets = edges.get(stageOf(from)) ?? new Set();
    edges.set(stageOf(from), targets.add(stageOf(to)));
  }
  const walk = (stage: string, path: readonly string[]): void => {
    assert.ok(!path.includes(stage), `cycle: ${[...path, stage].join(" -> ")}`);
    for (const next of edges.get(stage) ?? []) walk(next, [...path, stage]);
  };
  for (const stage of edges.keys()) walk(stage, []);
});

test("only the composition root imports the files directly in src", () => {
  const intruders = IMPORTS.filter(
    ({ from, to, isOurs }) => isOurs && stageOf(to) === COMPOSITION && stageOf(from) !== COMPOSITION,
  );
  assert.deepEqual(intruders, []);
});

test("no file exports by default or is too long to read", () => {
  for (const file of sourceFiles()) {
    const text = readSource(file);
    assert.doesNotMatch(text, /^export default\b/m, file);
    const code = text.split("\n").filter((line) => !/^\s*(?:$|\/\/|\/?\*)/.test(line));
    assert.ok(code.length <= MAX_CODE_LINES, `${file} has ${code.length} lines of code`);
  }
});

/** Files that a program loads, with those that it may load later. */
function loadedFrom(entry: string): string[] {
  const loaded = new Set([entry]);
  for (const file of loaded) {
    for (const { from, to, isOurs, isTypeOnly } of IMPORTS)
      if (from === file && isOurs && !isTypeOnly) loaded.add(to);
  }
  return [...loaded];
}

/** `prom-client` of `prom-client/lib/gauge.js`; nothing for what comes with Node.js or lies beside `src`. */
function packageOf(specifier: string): string {
  if (specifier.startsWith("node:") || specifier.startsWith(".")) return "";
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
