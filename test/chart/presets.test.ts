import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../arch/source-imports.ts";
import { isUpdatingGolden, updateGolden } from "./golden.ts";
import { openHelm, PRESETS } from "./helm.ts";

const GOLDEN = join(ROOT, "test/chart/golden");
const RENEW = "renew with: UPDATE_GOLDEN=1 npx node --test test/chart/presets.test.ts";

test("presets", async (t) => {
  const helm = await openHelm(t);
  if (helm === undefined) return;

  for (const preset of PRESETS) {
    await t.test(`${preset} has nothing that Helm's linter minds`, async () => {
      assert.equal(await helm.lint({ preset }), "");
    });

    await t.test(`${preset} renders as in test/chart/golden`, async () => {
      const path = join(GOLDEN, `${preset}.yaml`);
      const rendered = await helm.template({ preset });
      if (isUpdatingGolden) updateGolden(path, rendered);
      assert.equal(rendered, readFileSync(path, "utf8"), RENEW);
    });
  }

  await t.test("no file in test/chart/golden is left over", () => {
    assert.deepEqual(
      readdirSync(GOLDEN).filter(isYaml).sort(),
      PRESETS.map((preset) => `${preset}.yaml`).sort(),
    );
  });
});

function isYaml(file: string): boolean {
  return file.endsWith(".yaml");
}
