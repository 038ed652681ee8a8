import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";

/** The probe of the image's containers. BusyBox has `stat -c` and `date` from GNU, so any shell of a Linux system can run it. */

const HEARTBEAT = fileURLToPath(new URL("../../../image/heartbeat", import.meta.url));
const LIMIT_SECONDS = 5;

let directory = "";
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "holdfast-heartbeat-"));
});
after(() => rm(directory, { recursive: true, force: true }));

async function touchedBefore(seconds: number): Promise<string> {
  const file = join(directory, `touched${seconds}`);
  const touched = new Date(Date.now() - seconds * 1000);
  await writeFile(file, "");
  await utimes(file, touched, touched);
  return file;
}

function heartbeat(...args: readonly string[]): { readonly status: number | null; readonly stderr: string } {
  const { status, stderr, stdout } = spawnSync("sh", [HEARTBEAT, ...args], { encoding: "utf8" });
  assert.equal(stdout, "");
  return { status, stderr };
}

suite("heartbeat", () => {
  test("is well for a file that was touched just now, and says nothing", async () => {
    assert.deepEqual(heartbeat(await touchedBefore(0), String(LIMIT_SECONDS)), { status: 0, stderr: "" });
  });

  test("is not well for a file that was touched too long ago", async () => {
    const file = await touchedBefore(60);
    const { status, stderr } = heartbeat(file, String(LIMIT_SECONDS));
    assert.equal(status, 1);
    assert.match(stderr, /^heartbeat: \S+ was touched 6[01] s ago, and 5 s is the limit\n$/);
  });

  test("is not well for a file of the future, which a clock that was set back leaves", async () => {
    const { status, stderr } = heartbeat(await touchedBefore(-60), String(LIMIT_SECONDS));
    assert.equal(status, 1);
    assert.match(stderr, /was touched -(?:60|59) s ago/);
  });

  test("is not well without the file", () => {
    const file = join(directory, "missing");
    const stderr = `heartbeat: ${file} does not exist\n`;
    assert.deepEqual(heartbeat(file, "5"), { status: 1, stderr });
  });

  const usage = "usage: heartbeat FILE SECONDS, with SECONDS a whole number above 0\n";
  for (const [args, problem] of [
    [[], "2 arguments are needed and these are 0"],
    [["file"], "2 arguments are needed and these are 1"],
    [["file", "1", "2"], "2 arguments are needed and these are 3"],
    [["file", ""], '"" is no number of seconds'],
    [["file", "soon"], '"soon" is no number of seconds'],
    [["file", "-5"], '"-5" is no number of seconds'],
    [["file", "0"], '"0" is no number of seconds'],
  ] as const) {
    test(`called wrongly, it says so: ${JSON.stringify(args)}`, () => {
      assert.deepEqual(heartbeat(...args), { status: 2, stderr: `heartbeat: ${problem}; ${usage}` });
    });
  }
});
