/**
 * Bundles the programs into dist/: one file each, because what is not loaded costs no memory on a node, and CommonJS, because importing
 * `node:http` as an ES module touches every export of it and so loads undici (13 MiB).
 *
 * usage: build.ts [--if-stale]
 */
import { execFileSync } from "node:child_process";
import { rmSync, statSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

const ROOT = join(import.meta.dirname, "..");
const DIST = join(ROOT, "dist");
const STAMP = join(DIST, ".built");

const ENTRIES = {
  agent: "src/agent-main.ts",
  "sync-worker": "src/sync/sync-worker.ts",
  "credentials-worker": "src/sources/kubernetes/credentials-worker.ts",
  cli: "src/cli/main.ts",
  demo: "src/demo/demo.ts",
  "demo-cluster": "src/demo/demo-cluster.ts",
};

if (!process.argv.includes("--if-stale") || (await isStale())) {
  rmSync(DIST, { recursive: true, force: true });
  await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    outdir: DIST,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node24",
    minifySyntax: true,
    legalComments: "none",
    logLevel: "warning",
  });
  bakeCompileCache();
  writeFileSync(STAMP, "");
}

async function isStale(): Promise<boolean> {
  const builtMs = modifiedMs(STAMP);
  const sources = await readdir(join(ROOT, "src"), { recursive: true, withFileTypes: true });
  const inputs = sources
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .concat(["package.json", "package-lock.json", "scripts/build.ts"].map((file) => join(ROOT, file)));
  return inputs.some((file) => modifiedMs(file) > builtMs);
}

function modifiedMs(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Runs what starts often once, so that its compiled code is there the first time it counts. */
function bakeCompileCache(): void {
  const holdfast = join(ROOT, "bin/holdfast.cjs");
  execFileSync(process.execPath, [holdfast, "--version"], { stdio: ["ignore", "ignore", "inherit"] });
  execFileSync(process.execPath, [holdfast, "agent", "--help"], { stdio: ["ignore", "ignore", "inherit"] });
}
