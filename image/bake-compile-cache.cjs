// Runs the agent of an image until it is ready, as the user and with the flags that it will have: V8's compile cache is valid for those
// alone, for the path of a file, and for the version of Node.js and the features of the processor. Elsewhere it is left aside.
"use strict";

const { execFileSync, spawn } = require("node:child_process");
const { once } = require("node:events");
const { chmodSync, existsSync, readdirSync } = require("node:fs");
const { join } = require("node:path");
const { setTimeout } = require("node:timers/promises");

const HOLDFAST = "/app/bin/holdfast.cjs";
const COMPILE_CACHE = "/app/dist/compile-cache";
const ADMIN = "/tmp/bake-admin.sock";
const READY_LIMIT_MS = 60_000;

async function bake() {
  const args = [
    `--manifests=${join(__dirname, "manifests")}`,
    "--data-dir=/tmp/bake-data",
    "--listen=127.0.0.1:0",
    `--admin=unix:${ADMIN}`,
    "--log-level=warn",
  ];
  const agent = spawn(process.execPath, [HOLDFAST, "agent", ...args], { stdio: "inherit" });
  const exit = once(agent, "exit");
  const deadline = performance.now() + READY_LIMIT_MS;
  while (agent.exitCode === null && !existsSync(ADMIN) && performance.now() < deadline) await setTimeout(20);
  const isReady = existsSync(ADMIN);
  agent.kill("SIGTERM");
  const [code] = await exit;
  if (code !== 0 || !isReady)
    throw new Error(`no agent was ready within ${READY_LIMIT_MS} ms; it ended with ${code}`);
  execFileSync(process.execPath, [HOLDFAST, "--version"], { stdio: "inherit" });

  // Node.js writes for its own user; in the image the files belong to root, and the agent only reads them.
  for (const entry of readdirSync(COMPILE_CACHE, { recursive: true, withFileTypes: true }))
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
}

void bake();
