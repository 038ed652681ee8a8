import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import { parse } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { CONFIG_OPTION, OPTION_KEYS, OPTIONS } from "../../src/config/options.ts";
import type { Option } from "../../src/config/options.ts";
import { MAX_UDP_PAYLOAD_OCTETS } from "../../src/dns/constants.ts";
import { formatExtendedErrorCode } from "../../src/dns/mnemonics.ts";
import { WrongCluster } from "../../src/guard/wrong-cluster.ts";
import { ZeroGuard } from "../../src/guard/zero-guard.ts";
import { METRICS } from "../../src/metrics/catalog.ts";
import { MAX_QUERIES_PER_CONNECTION } from "../../src/server/tcp-connection.ts";
import {
  IDLE_TIMEOUT_MS,
  MAX_CONNECTIONS,
  MAX_CONNECTIONS_PER_CLIENT,
} from "../../src/server/tcp-connections.ts";
import { anchors, codeIn, documents, localLinks, readDocument, tableAfter } from "./markdown.ts";
import { readSource, ROOT, sourceFiles } from "./source-imports.ts";

const README = readDocument("README.md");

suite("README.md", () => {
  test("has every option, as the table of options has it", () => {
    const options: readonly Option<unknown>[] = [...OPTION_KEYS.map((key) => OPTIONS[key]), CONFIG_OPTION];
    const expected = options.map(({ name, placeholder, doc, repeatable, defaults, defaultDoc }) => [
      `\`--${name} ${placeholder}\``,
      defaultDoc ?? defaults.map((text) => `\`${text}\``).join(", "),
      repeatable ? `${doc} May be repeated.` : doc,
    ]);
    assert.deepEqual(tableAfter(README, "### Options"), expected);
  });

  test("has every metric, as the catalog has it", () => {
    const expected = METRICS.map(({ name, type, labels, help }) => [
      `\`${name}\``,
      type,
      labels.map((label) => `\`${label}\``).join(", "),
      help,
    ]);
    assert.deepEqual(tableAfter(README, "### Metrics"), expected);
  });

  test("calls Extended DNS Errors by their registered names", () => {
    for (const [cell] of tableAfter(README, "## How staleness shows")) {
      const [code, ...words] = cell.split(" ");
      assert.equal(words.join(" "), formatExtendedErrorCode(Number(code)));
    }
  });

  test("has the limits that are in force", () => {
    const limits = tableAfter(README, "## Limits").flat().join("\n");
    for (const limit of [
      `${MAX_UDP_PAYLOAD_OCTETS} octets`,
      `${MAX_CONNECTIONS}; ${MAX_CONNECTIONS_PER_CLIENT} per client`,
      `${IDLE_TIMEOUT_MS / 1000} s idle; ${MAX_QUERIES_PER_CONNECTION} queries`,
    ])
      assert.ok(limits.includes(limit), limit);
  });

  test("asks for the rights to read, and no others", () => {
    const [, block] = /^```yaml\n(.*?)^```$/ms.exec(README.text) ?? [];
    const { rules } = parse(block) as { rules: { resources: string[]; verbs: string[] }[] };
    assert.deepEqual(rules.flatMap(({ resources }) => resources).sort(), [
      "endpointslices",
      "namespaces",
      "services",
    ]);
    for (const { verbs } of rules) assert.deepEqual(verbs, ["list", "watch"]);
  });
});

test("the guard's policies are those of README.md and of the runbook", () => {
  const names = [new ZeroGuard().name, new WrongCluster("").name].sort();
  for (const [path, line] of [
    ["README.md", "## The guard"],
    ["docs/runbooks/list-held.md", "`held[]`"],
  ]) {
    const rows = tableAfter(readDocument(path), line);
    assert.deepEqual(rows.flatMap(([name]) => codeIn(name)).sort(), names, path);
  }
});

test("examples/holdfast.yaml has no mistake", async () => {
  const args = ["--config", join(ROOT, "examples/holdfast.yaml")];
  const loaded = await loadConfig({
    args,
    env: {},
    isTerminal: false,
    readText: (path) => readFile(path, "utf8"),
  });
  assert.ok(loaded.outcome === "config", JSON.stringify(loaded));
  assert.equal(loaded.config.kubeconfig, "/etc/kubernetes/holdfast.kubeconfig");
});

for (const document of documents()) {
  suite(document.path, () => {
    test("links to what is there", () => {
      for (const link of localLinks(document)) {
        const [file, anchor] = link.split("#", 2);
        const path = file === "" ? document.path : join(dirname(document.path), file);
        assert.ok(existsSync(join(ROOT, path)), link);
        if (anchor !== undefined) assert.ok(anchors(readDocument(path)).has(anchor), link);
      }
    });

    test("names files and scripts that exist", () => {
      const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
        scripts: Record<string, string>;
      };
      for (const [code] of document.text.matchAll(
        /(?<=`)(?:src|test|scripts|examples|docs|\.ci)\/[\w./-]+(?=`)/g,
      ))
        assert.ok(existsSync(join(ROOT, code)), code);
      for (const [, script] of document.text.matchAll(/\bnpm run ([\w:]+)/g))
        assert.ok(scripts[script], script);
    });
  });
}

suite("runbooks", () => {
  const sources = sourceFiles().map(readSource).join("\n");
  const metrics = new Set(METRICS.map(({ name }) => name));

  test("quote messages that the agent gives", () => {
    for (const { path, text } of documents()) {
      if (!path.startsWith("docs/")) continue;
      for (const message of messagesIn(text)) assert.ok(sources.includes(message), `${path}: ${message}`);
    }
  });

  test("name metrics that there are", () => {
    for (const { path, text } of documents()) {
      for (const [name] of text.matchAll(/\bholdfast_\w+/g)) assert.ok(metrics.has(name), `${path}: ${name}`);
    }
  });
});

/** What is quoted as `several words`, less commands, flags and addresses. */
function messagesIn(text: string): string[] {
  return text
    .replaceAll(/^```.*?^```$/gms, "")
    .split("\n")
    .flatMap(codeIn)
    .filter((code) => /^[a-z]+ [a-z]/i.test(code) && !/--|\d{4}/.test(code))
    .filter((code) => !/^(?:npm|npx|dig|curl|ss|kubectl)\b/.test(code))
    .map((code) => code.replace(/: \.\.\.$/, ""));
}
