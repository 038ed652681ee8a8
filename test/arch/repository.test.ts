import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { ROOT } from "./source-imports.ts";

/** Nothing in the repository knows the machine on which it was written. */

const PUBLIC_REGISTRY = "registry.npmjs.org";

/** Tracked files, and those that are about to be: what git does not ignore. Empty outside of a git checkout. */
function repositoryFiles(): string[] {
  try {
    const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    const output = execFileSync("git", args, {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return output.split("\0").filter((path) => path !== "" && !path.startsWith("test/fixtures/"));
  } catch {
    return [];
  }
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** A directory as a path begins with it, and not in the middle of another path. */
function pathPattern(directory: string): RegExp {
  return new RegExp(`(?<![\\w.~/-])${escapeRegExp(directory)}(?![\\w-])`);
}

suite("the repository", () => {
  const files = repositoryFiles();

  test("names no path of this machine and no private registry", (t) => {
    if (files.length === 0) return t.skip("SKIPPED: this is no git checkout");
    const registry = URL.parse(process.env["npm_config_registry"] ?? "")?.host ?? "";
    const patterns = [ROOT, homedir()].filter((path) => path.lastIndexOf("/") > 0).map(pathPattern);
    if (registry !== "" && registry !== PUBLIC_REGISTRY) patterns.push(new RegExp(escapeRegExp(registry)));
    for (const file of files) {
      const text = readTracked(file);
      for (const pattern of patterns) assert.doesNotMatch(text, pattern, file);
    }
  });

  test("leaves it to npm where packages come from", () => {
    const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
      packages: Record<string, LockedPackage>;
    };
    for (const [name, locked] of Object.entries(lock.packages)) {
      assert.equal(locked.resolved, undefined, name);
      // Tools' binaries for platforms that we do not run on, whose digests could not be asked for when the lockfile was made.
      const isForeignTool = locked.dev === true && locked.optional === true && isForeign(locked);
      if (name !== "" && !isForeignTool) assert.ok(locked.integrity, name);
    }
  });
});

interface LockedPackage {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

/** Neither Linux with glibc on x64 or arm64, where agents and their tests run. */
function isForeign({ os, cpu, libc }: LockedPackage): boolean {
  const isOurs =
    (os === undefined || os.includes("linux")) &&
    (cpu === undefined || cpu.some((name) => ["x64", "arm64"].includes(name))) &&
    (libc === undefined || libc.includes("glibc"));
  return !isOurs;
}

/** Empty for a file that was removed and is still in the index. */
function readTracked(file: string): string {
  try {
    return readFileSync(join(ROOT, file), "utf8");
  } catch {
    return "";
  }
}
