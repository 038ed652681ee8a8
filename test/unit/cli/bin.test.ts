import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";

const ROOT = join(import.meta.dirname, "../../..");
/** Makes the running Node.js look old, before anything else is loaded. */
const OLD_NODE = 'Object.defineProperty(process, "version", { value: "v20.20.2" });';

let checkout = "";

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), "holdfast-bin-"));
  for (const name of ["bin", "scripts"]) mkdirSync(join(checkout, name));
  cpSync(join(ROOT, "package.json"), join(checkout, "package.json"));
  cpSync(join(ROOT, "bin/holdfast.cjs"), join(checkout, "bin/holdfast.cjs"));
  cpSync(join(ROOT, "scripts/require-toolchain.cjs"), join(checkout, "scripts/require-toolchain.cjs"));
  writeFileSync(join(checkout, "old-node.cjs"), OLD_NODE);
});

afterEach(() => rmSync(checkout, { recursive: true, force: true }));

function run(
  script: string,
  options: { readonly isOldNode?: boolean; readonly args?: readonly string[] } = {},
) {
  const preload = options.isOldNode === true ? ["--require", join(checkout, "old-node.cjs")] : [];
  // The suite's own cache directory must not hide the one under test.
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...preload, join(checkout, script), ...(options.args ?? [])],
    { encoding: "utf8", env },
  );
  return { status, stdout, stderr };
}

function install(...paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(join(checkout, "node_modules", path, ".."), { recursive: true });
    writeFileSync(join(checkout, "node_modules", path), "");
  }
}

suite("bin/holdfast.cjs", () => {
  test("on an old Node.js says what to do, in one line", () => {
    const want =
      "holdfast: Node.js 24.12 or newer is needed and this is v20.20.2; in a checkout run `npm ci` and then `npx holdfast`, " +
      "which uses the Node.js that npm installed (with install scripts off: `npm rebuild node --ignore-scripts=false`)\n";
    assert.deepEqual(run("bin/holdfast.cjs", { isOldNode: true }), { status: 2, stdout: "", stderr: want });
  });

  test("without a build says how to build", () => {
    for (const [command, bundle] of [
      ["agent", "agent.cjs"],
      ["lookup", "cli.cjs"],
    ]) {
      const { status, stderr } = run("bin/holdfast.cjs", { args: [command] });
      const want = `holdfast: ${join(checkout, "dist", bundle)} is missing; run \`npm run build\` in ${checkout}\n`;
      assert.deepEqual([status, stderr], [2, want]);
    }
  });

  test("starts the agent's bundle for agent, the other one for the rest, and fills the compile cache", () => {
    mkdirSync(join(checkout, "dist"));
    for (const name of ["agent", "cli"]) {
      const code = `process.stdout.write("${name} " + process.argv.slice(2).join(" "));`;
      writeFileSync(join(checkout, "dist", `${name}.cjs`), code);
    }
    const rows = [
      { args: ["agent", "--ttl", "5"], want: "agent agent --ttl 5" },
      { args: ["lookup", "a"], want: "cli lookup a" },
      { args: [], want: "cli " },
    ];
    for (const { args, want } of rows) {
      assert.deepEqual(run("bin/holdfast.cjs", { args }), { status: 0, stdout: want, stderr: "" });
    }
    assert.notEqual(readdirSync(join(checkout, "dist/compile-cache")).length, 0);
  });

  test("runs where the compile cache cannot be written", () => {
    mkdirSync(join(checkout, "dist"));
    writeFileSync(join(checkout, "dist/cli.cjs"), 'process.stdout.write("fine");');
    // A file in the directory's place: no permission bit stops root.
    writeFileSync(join(checkout, "dist/compile-cache"), "");
    assert.deepEqual(run("bin/holdfast.cjs"), { status: 0, stdout: "fine", stderr: "" });
  });
});

suite("scripts/require-toolchain.cjs", () => {
  test("before npm ci says to run it", () => {
    const want = "holdfast: the packages are not installed; run `npm ci` first\n";
    for (const isOldNode of [true, false])
      assert.deepEqual(run("scripts/require-toolchain.cjs", { isOldNode }), {
        status: 1,
        stdout: "",
        stderr: want,
      });
  });

  test("after npm ci with install scripts off, on an old Node.js, says how to get the new one", () => {
    install("esbuild/package.json", "node/package.json");
    const { status, stderr } = run("scripts/require-toolchain.cjs", { isOldNode: true });
    assert.equal(
      stderr,
      "holdfast: Node.js 24.12 or newer is needed and this is v20.20.2; `npm ci` would have installed one, but install " +
        "scripts were off: run `npm rebuild node --ignore-scripts=false`, or put a newer Node.js first in PATH\n",
    );
    assert.equal(status, 1);
  });

  test("with the new one installed but not used says which commands use it", () => {
    install("esbuild/package.json", ".bin/node");
    const { status, stderr } = run("scripts/require-toolchain.cjs", { isOldNode: true });
    assert.match(
      stderr,
      /^holdfast: Node\.js 24\.12 or newer is needed and this is v20\.20\.2; use `npm start`.*\n$/,
    );
    assert.equal(status, 1);
  });

  test("with install scripts off is content with a new Node.js", () => {
    install("esbuild/package.json");
    assert.deepEqual(run("scripts/require-toolchain.cjs"), { status: 0, stdout: "", stderr: "" });
  });
});

test("bin/holdfast.cjs and require-toolchain.cjs are written in a language that an old Node.js parses", () => {
  for (const path of ["bin/holdfast.cjs", "scripts/require-toolchain.cjs"]) {
    const esbuild = join(ROOT, "node_modules/.bin/esbuild");
    const args = [join(ROOT, path), "--target=es5", "--log-level=error", "--platform=node"];
    // esbuild refuses what it would have to lower to ES5, and leaves everything else as it is.
    assert.doesNotThrow(() => execFileSync(esbuild, args, { stdio: "pipe" }), path);
  }
});
