import assert from "node:assert/strict";
import { test } from "node:test";
import { openHelm, PRESETS } from "./helm.ts";

/** What each preset's notes must not leave out. */
const SAYS: Readonly<Record<string, readonly RegExp[]>> = {
  default: [/mode linkLocal, role fallback/, /at 169\.254\.53\.53 and fd00:53::53/, /enforce=privileged/],
  "everything-on": [
    /role primary/,
    /-n dns-system rollout status daemonset\/resilient-dns/,
    /oncall@example\.org/,
  ],
  "link-local-primary": [/the agent first, and 10\.96\.0\.10 after it/, /no longer limit ICMP/],
  monitoring: [/admin pages are open at port 9853/],
  service: [/mode service, role fallback/, /at 10\.96\.0\.53/, /not its pod/],
  sidecar: [/mode sidecar\./, /shop\/checkout/, /holdfast inject --mode sidecar/],
};

test("NOTES.txt", async (t) => {
  const helm = await openHelm(t);
  if (helm === undefined) return;
  for (const preset of PRESETS) {
    await t.test(`${preset}: says what was installed, how to look, and what to know`, async () => {
      const notes = await helm.notes({ preset });
      for (const pattern of SAYS[preset]) assert.match(notes, pattern);
      assert.doesNotMatch(notes, /no value|%!|map\[/);
      if (preset === "sidecar") return;
      assert.match(notes, /kubectl label namespace NAMESPACE holdfast\/inject=enabled/);
      assert.match(notes, /kubectl -n \S+ rollout status .*\n {2}helm test holdfast/);
    });
  }

  await t.test("without the test, the second command asks an agent itself", async () => {
    const notes = await helm.notes({ set: ["tests.enabled=false"] });
    assert.match(
      notes,
      /exec daemonset\/holdfast .*lookup kubernetes\.default.* --server 169\.254\.53\.53:53/,
    );
  });

  await t.test("what leaves the address on nodes says so", async () => {
    assert.match(
      await helm.notes({ set: ["linkLocal.cleanup.enabled=false"] }),
      /leaves the address on the nodes/,
    );
    assert.match(await helm.notes({}), /takes the address off the nodes/);
  });
});
