import assert from "node:assert/strict";
import { test } from "node:test";
import { renderAgentHelp } from "../../../src/config/help.ts";
import { envName, OPTION_KEYS, OPTIONS } from "../../../src/config/options.ts";

test("renderAgentHelp() has every option with its default, in lines that fit a terminal", () => {
  const help = renderAgentHelp();
  for (const key of OPTION_KEYS) {
    const { name, placeholder, defaults } = OPTIONS[key];
    assert.ok(help.includes(`--${name} ${placeholder}`), name);
    for (const text of defaults) assert.ok(help.includes(`Default: ${text}.`), name);
  }
  for (const line of help.split("\n")) assert.ok(line.length <= 120, line);
});

test("OPTIONS has defaults that its own parsers accept", () => {
  for (const key of OPTION_KEYS) {
    const { defaults, parse } = OPTIONS[key];
    for (const text of defaults) assert.ok("value" in parse(text), `${key} ${text}`);
  }
});

test("envName() is the flag in capitals", () => {
  assert.deepEqual(
    [envName(OPTIONS.listen), envName(OPTIONS.dataDir)],
    ["HOLDFAST_LISTEN", "HOLDFAST_DATA_DIR"],
  );
});
