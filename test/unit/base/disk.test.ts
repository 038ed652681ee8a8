import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, chown, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { diskErrorCode, nodeDisk } from "../../../src/base/disk.ts";

async function createDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "disk-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

test("a file is written in pieces, read back, renamed and removed", async (t) => {
  const directory = await createDirectory(t);
  const path = join(directory, "a");
  const file = await nodeDisk.createFile(path);
  await file.write(Uint8Array.of(1, 2));
  await file.write(Uint8Array.of(3));
  await file.sync();
  await file.close();
  assert.deepEqual([...(await nodeDisk.readFile(path, 3))], [1, 2, 3]);
  const { type, sizeBytes, inode } = await nodeDisk.stat(path);
  assert.deepEqual({ type, sizeBytes }, { type: "file", sizeBytes: 3 });
  await nodeDisk.rename(path, join(directory, "b"));
  await nodeDisk.syncDirectory(directory);
  assert.deepEqual(await nodeDisk.list(directory), ["b"]);
  assert.equal((await nodeDisk.stat(join(directory, "b"))).inode, inode);
  await nodeDisk.remove(join(directory, "b"));
  await assert.rejects(nodeDisk.readFile(join(directory, "b"), 3), { code: "ENOENT" });
});

test("files are for this user only, and so are directories", async (t) => {
  const directory = await createDirectory(t);
  const made = join(directory, "x", "y");
  await nodeDisk.makeDirectory(made);
  await nodeDisk.makeDirectory(made);
  await (await nodeDisk.createFile(join(made, "a"))).close();
  assert.equal((await stat(made)).mode & 0o777, 0o700);
  assert.equal((await stat(join(made, "a"))).mode & 0o777, 0o600);
});

test("createFile() replaces nothing, a dangling link neither", async (t) => {
  const directory = await createDirectory(t);
  const path = join(directory, "a");
  await symlink("elsewhere", path);
  await assert.rejects(nodeDisk.createFile(path), { code: "EEXIST" });
  assert.equal((await nodeDisk.stat(path)).type, "other");
});

const UNTRUSTED = [
  {
    name: "a symbolic link",
    code: "ELOOP",
    plant: async (path: string) => {
      await writeFile(`${path}.target`, "x");
      await symlink(`${path}.target`, path);
    },
  },
  { name: "a FIFO", code: "EINVAL", plant: async (path: string) => void execFileSync("mkfifo", [path]) },
  { name: "a file over the limit", code: "EFBIG", plant: (path: string) => writeFile(path, "12345") },
  {
    name: "a file that everybody may write",
    code: "EPERM",
    plant: async (path: string) => {
      await writeFile(path, "x");
      await chmod(path, 0o666);
    },
  },
];
for (const { name, code, plant } of UNTRUSTED) {
  test(`readFile() refuses ${name}`, async (t) => {
    const path = join(await createDirectory(t), "a");
    await plant(path);
    await assert.rejects(nodeDisk.readFile(path, 4), (error) => diskErrorCode(error) === code);
  });
}

test("readFile() refuses a file of another user", async (t) => {
  if (process.getuid?.() !== 0) {
    t.skip("only root can give a file away");
    return;
  }
  const path = join(await createDirectory(t), "a");
  await writeFile(path, "x");
  await chown(path, 12_345, 12_345);
  await assert.rejects(nodeDisk.readFile(path, 4), { code: "EPERM", message: /belongs to user 12345/ });
  assert.equal(await readFile(path, "utf8"), "x");
});
