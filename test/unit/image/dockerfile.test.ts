import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import packageJson from "../../../package.json" with { type: "json" };

/** What stands in the Dockerfile and elsewhere as well. */

function read(file: string): string {
  return readFileSync(new URL(`../../../${file}`, import.meta.url), "utf8");
}

const DOCKERFILE = read("Dockerfile").replaceAll(/\\\n\s*/g, "");

test("the image starts the agent with the V8 flags of the launcher, which so need not start it again", () => {
  const entrypoint = /^ENTRYPOINT (.*)$/m.exec(DOCKERFILE)?.[1] ?? "[]";
  const launcherFlags = /AGENT_FLAGS = \[(.*?)\];/s.exec(read("bin/holdfast.cjs"))?.[1] ?? "";
  const flags = Array.from(launcherFlags.matchAll(/^\s*"(--.*?)",$/gm), ([, flag]) => flag);
  assert.ok(flags.length > 0);
  assert.deepEqual(JSON.parse(entrypoint), ["/nodejs/bin/node", ...flags, "/app/bin/holdfast.cjs"]);
});

test("the image has the environment that the launcher gives", () => {
  const [, value] = /MALLOC_ARENA_MAX \|\| "(\d+)"/.exec(read("bin/holdfast.cjs")) ?? [];
  assert.match(DOCKERFILE, new RegExp(`^ENV .*MALLOC_ARENA_MAX=${value}$`, "m"));
});

test("the image is described as the package is", () => {
  const { description, license } = packageJson;
  assert.ok(DOCKERFILE.includes(`org.opencontainers.image.description="${description}"`));
  assert.ok(DOCKERFILE.includes(`org.opencontainers.image.licenses="${license}"`));
});
