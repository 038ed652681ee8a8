/**
 * Bundles the programs into dist/: one file each, because what is not loaded costs no memory on a node, and CommonJS, because importing
 * `node:http` as an ES module touches every export of it and so loads undici (13 MiB).
 *
 * usage: build.ts [--if-stale]
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { build, type BuildOptions, type Plugin } from "esbuild";

const ROOT = join(import.meta.dirname, "..");
const DIST = join(ROOT, "dist");
const STAMP = join(DIST, ".built");

const ENTRIES = {
  agent: "src/agent-main.ts",
  sync: "src/sync/sync-worker.ts",
  "credentials-worker": "src/sources/kubernetes/credentials-worker.ts",
  cli: "src/cli/main.ts",
  demo: "src/demo/demo.ts",
  "demo-cluster": "src/demo/demo-cluster.ts",
};

/** Libraries that few agents need: files of their own, read when they are first asked for. */
const LAZY_LIBRARIES = ["yaml", "pino-pretty"];

/** A thread has a compile cache of its own, which the file that turns it on is too late for. */
const SYNC_WORKER = `"use strict";
require("node:module").enableCompileCache(require("node:path").join(__dirname, "compile-cache"));
require("./sync.cjs");
`;

const COMMON = {
  absWorkingDir: ROOT,
  outdir: DIST,
  outExtension: { ".js": ".cjs" },
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node24",
  // Comments and blanks would stay in memory with the source; names stay, for stack traces.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  logLevel: "warning",
} as const satisfies BuildOptions;

const lazyLibraries: Plugin = {
  name: "lazy-libraries",
  setup(builder) {
    builder.onResolve({ filter: new RegExp(`^(${LAZY_LIBRARIES.join("|")})$`) }, ({ path }) => ({
      path: `./${path}.cjs`,
      external: true,
    }));
  },
};

if (!process.argv.includes("--if-stale") || (await isStale())) {
  rmSync(DIST, { recursive: true, force: true });
  const libraries = Object.fromEntries(LAZY_LIBRARIES.map((name) => [name, name]));
  await Promise.all([
    build({ ...COMMON, entryPoints: libraries }),
    build({
      ...COMMON,
      entryPoints: ENTRIES,
      plugins: [lazyLibraries],
      // `import("yaml")` becomes require(): the loader of ES modules costs memory too.
      supported: { "dynamic-import": false },
    }),
  ]);
  writeFileSync(join(DIST, "sync-worker.cjs"), SYNC_WORKER);
  await bakeCompileCache();
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

/**
 * Runs an agent until it is ready, so that the code of a start is compiled the first time it counts. Nothing of it stays but the cache.
 */
async function bakeCompileCache(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-build-"));
  const admin = join(directory, "admin.sock");
  const holdfast = join(ROOT, "bin/holdfast.cjs");
  const agent = spawn(
    process.execPath,
    [
      holdfast,
      "agent",
      `--manifests=${join(ROOT, "examples/manifests")}`,
      `--data-dir=${directory}`,
      "--listen=127.0.0.1:0",
      `--admin=unix:${admin}`,
      "--log-level=error",
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  const exit = once(agent, "exit");
  try {
    while (agent.exitCode === null && !existsSync(admin)) await setTimeout(20);
    agent.kill("SIGTERM");
    await exit;
    execFileSync(process.execPath, [holdfast, "--version"], { stdio: ["ignore", "ignore", "inherit"] });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
