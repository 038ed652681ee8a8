import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test, type TestContext } from "node:test";
import { Backoff } from "../../../src/base/backoff.ts";
import type { SyncReport, SyncWorkerData } from "../../../src/sync/messages.ts";
import { SyncThread } from "../../../src/sync/sync-thread.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { RecordingLog } from "../../support/recording-log.ts";

const BASE_MS = 1_000;
const CAP_MS = 8_000;
/** Nothing here takes that long. */
const GIVE_UP_MS = 20_000;

const directory = mkdtempSync(join(tmpdir(), "holdfast-threads-"));
after(() => rmSync(directory, { recursive: true, force: true }));
let programs = 0;

const LIVE_REPORT = {
  kinds: ["Namespace", "Service", "EndpointSlice"].map((kind) => {
    return { kind, state: "live", isComplete: true, ageMs: 0, objects: 1, resourceVersion: "1", reason: "" };
  }),
};

/** Posts what a thread posts that has read the disk. */
const WELL = `
const { parentPort } = require("node:worker_threads");
const post = (message) => parentPort.postMessage(message);
const delta = (octet) => post({ type: "delta", delta: Uint8Array.of(octet) });
const report = () => post({ type: "report", report: ${JSON.stringify(LIVE_REPORT)} });
`;
const STAY = `parentPort.on("message", (command) => command.type === "stop" && process.exit(0));`;

interface Harness {
  readonly thread: SyncThread;
  readonly clock: FakeClock;
  readonly log: RecordingLog;
  /** First octets of the deltas that were applied. */
  readonly applied: number[];
  losses: number;
}

/** @param program  Of the thread, CommonJS; a second start runs it again. */
function startThread(t: TestContext, program: string, apply?: (delta: Uint8Array) => void): Harness {
  const workerFile = join(directory, `worker-${programs++}.cjs`);
  writeFileSync(workerFile, WELL + program);
  const clock = new FakeClock();
  const log = new RecordingLog();
  const applied: number[] = [];
  const harness = {
    thread: new SyncThread({
      workerFile,
      workerData: {} as Omit<SyncWorkerData, "isServing">,
      clock,
      log,
      // The longest pause that there can be, each time.
      backoff: new Backoff({ baseMs: BASE_MS, capMs: CAP_MS }, () => 0.999_999),
      apply: (delta) => {
        apply?.(delta);
        applied.push(delta[0]);
      },
      lost: () => void harness.losses++,
    }),
    clock,
    log,
    applied,
    losses: 0,
  };
  t.after(async () => {
    const stopped = harness.thread.stop();
    // A thread that does not end by itself is ended when the time is up.
    clock.advance(10_000);
    await stopped;
  });
  harness.thread.start();
  return harness;
}

/** Lets the event loop turn until it is so: threads come and go in their own time. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + GIVE_UP_MS;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${GIVE_UP_MS} ms`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("a sync thread that fails", { concurrency: 4 }, () => {
  const failures: readonly (readonly [what: string, program: string, reason: RegExp])[] = [
    ["throws at its start", `throw new Error("no disk");`, /^no disk$/],
    ["throws later", `delta(1); setImmediate(() => { throw new Error("later"); });`, /^later$/],
    ["rejects", `delta(1); void Promise.reject(new Error("rejected"));`, /^rejected$/],
    ["exits", `delta(1); process.exit(7);`, /^it ended with exit code 7$/],
    ["ends", `delta(1);`, /^it ended with exit code 0$/],
    ["runs out of memory", `const hoard = []; for (;;) hoard.push(new Array(1e5).fill({}));`, /memory|heap/i],
    ["cannot be read", `this is not a program`, /Unexpected/],
  ];
  for (const [what, program, reason] of failures) {
    test(`${what}: said, and started again after a pause`, async (t) => {
      const { thread, clock, log } = startThread(t, program);
      await until("its end", () => !thread.isRunning);
      assert.match(thread.lastFailure, reason);
      assert.equal(thread.restarts, 1);
      assert.match(log.messages("error").join(), /sync thread ended; answers go on from what is known/);
      clock.advance(BASE_MS - 2);
      assert.ok(!thread.isRunning);
      clock.advance(2);
      assert.ok(thread.isRunning);
      await until("its second end", () => thread.restarts === 2);
      assert.match(thread.lastFailure, reason);
    });
  }

  test("is not blamed for how the one before ended", async (t) => {
    const flag = join(directory, "second-start");
    const program = `
      const { existsSync, writeFileSync } = require("node:fs");
      if (existsSync(${JSON.stringify(flag)})) process.exit(3);
      writeFileSync(${JSON.stringify(flag)}, "");
      throw new Error("the first");`;
    const { thread, clock } = startThread(t, program);
    await until("the first end", () => thread.restarts === 1);
    clock.advance(BASE_MS);
    await until("the second end", () => thread.restarts === 2);
    assert.equal(thread.lastFailure, "it ended with exit code 3");
  });

  test("again and again is started with growing pauses, up to a limit", async (t) => {
    const { thread, clock } = startThread(
      t,
      `delta(1); ${STAY}; parentPort.once("message", () => process.exit(1));`,
    );
    for (const pauseMs of [1_000, 2_000, 4_000, 8_000, 8_000]) {
      await until("the end", () => !thread.isRunning);
      clock.advance(pauseMs - 2);
      assert.ok(!thread.isRunning, `before ${pauseMs} ms`);
      clock.advance(2);
      assert.ok(thread.isRunning, `after ${pauseMs} ms`);
    }
    await until("the end", () => !thread.isRunning);
  });

  test("lets nobody wait for the disk for ever", async (t) => {
    const { thread, clock } = startThread(t, `process.exit(1);`);
    await until("the first end", () => thread.restarts === 1);
    clock.advance(BASE_MS);
    assert.equal(await thread.restored, false);
  });

  test("for ten seconds, whatever the next ones do: nothing is live any more, and the age grows", async (t) => {
    const flag = join(directory, "lost-start");
    const program = `
      const { existsSync, writeFileSync } = require("node:fs");
      if (existsSync(${JSON.stringify(flag)})) process.exit(1);
      writeFileSync(${JSON.stringify(flag)}, "");
      delta(1); report(); setImmediate(() => process.exit(1));`;
    const harness = startThread(t, program);
    const { thread, clock } = harness;
    for (const [index, pauseMs] of [1_000, 2_000, 4_000].entries()) {
      await until("the end", () => thread.restarts === index + 1);
      assert.equal(thread.kinds[1].state, "live");
      clock.advance(pauseMs);
    }
    await until("the end", () => thread.restarts === 4);
    clock.advance(2_999);
    assert.equal(harness.losses, 0);
    clock.advance(1);
    assert.equal(harness.losses, 1);
    clock.advance(500);
    const [, kind] = thread.kinds;
    assert.deepEqual([kind.state, kind.isComplete, kind.ageMs], ["stale", true, 10_500]);
    assert.equal(kind.reason, "the sync thread ended: it ended with exit code 1");
  });
});

describe("a sync thread that hangs", () => {
  test("is given up after 30 seconds of silence, and what it still says is ignored", async (t) => {
    const { thread, clock, applied } = startThread(
      t,
      `delta(1); report(); post({ type: "restored", hasSnapshot: true }); for (;;);`,
    );
    assert.equal(await thread.restored, true);
    await until("its report", () => thread.report !== undefined);
    clock.advance(29_000);
    assert.ok(thread.isRunning);
    assert.equal(thread.restarts, 0);
    clock.advance(7_000);
    assert.equal(thread.restarts, 1);
    assert.match(thread.lastFailure, /^it was silent for 3\d s$/);
    const before = applied.length;
    clock.advance(BASE_MS);
    await until("the next one", () => applied.length > before);
    assert.ok(thread.isRunning);
  });

  test("is silent for too long to be called live", async (t) => {
    const harness = startThread(t, `delta(1); report(); for (;;);`);
    const { thread, clock } = harness;
    await until("its report", () => thread.report !== undefined);
    assert.deepEqual([thread.kinds[1].state, thread.kinds[1].ageMs], ["live", 0]);
    clock.advance(36_000);
    // Given up; the loss is due at once, since nothing was heard for longer than that.
    clock.advance(1);
    assert.equal(harness.losses, 1);
    const [, kind] = thread.kinds;
    assert.equal(kind.state, "stale");
    assert.ok(kind.ageMs! >= 30_000);
    assert.match(kind.reason, /^the sync thread ended: it was silent for/);
  });

  test("while the agent ends is ended without its last snapshot", async (t) => {
    const { thread, clock, applied } = startThread(t, `delta(1); for (;;);`);
    await until("its delta", () => applied.length > 0);
    const stopped = thread.stop();
    clock.advance(3_000);
    await stopped;
    assert.equal(thread.restarts, 0);
  });
});

describe("a sync thread", () => {
  test("gets one acknowledgement for each delta that was applied", async (t) => {
    const program = `let acknowledged = 0;
      parentPort.on("message", (command) => {
        if (command.type === "stop") process.exit(0);
        if (++acknowledged < 5) delta(acknowledged);
      });
      delta(0);`;
    const { applied } = startThread(t, program);
    await until("five deltas", () => applied.length === 5);
    assert.deepEqual(applied, [0, 1, 2, 3, 4]);
  });

  test("whose delta cannot be applied is started again, and nothing that it still says counts", async (t) => {
    let isBroken = true;
    const { thread, clock, applied } = startThread(t, `delta(9); delta(8); ${STAY}`, (delta) => {
      if (isBroken && delta[0] === 9) throw new RangeError("unknown operation 9");
    });
    await until("the failure", () => thread.restarts === 1);
    assert.equal(thread.lastFailure, "a delta cannot be applied: unknown operation 9");
    isBroken = false;
    clock.advance(BASE_MS);
    await until("the deltas", () => applied.at(-1) === 8 && applied.includes(9));
    assert.deepEqual(applied, [9, 8]);
    assert.ok(thread.isRunning);
  });

  test("that has not read the disk yet does not replace what the one before reported", async (t) => {
    const empty: Partial<SyncReport> = { kinds: [] };
    const flag = join(directory, "third-start");
    const program = `
      const { existsSync, writeFileSync } = require("node:fs");
      if (!existsSync(${JSON.stringify(flag)})) {
        writeFileSync(${JSON.stringify(flag)}, "");
        delta(1); report(); process.exit(1);
      }
      post({ type: "report", report: ${JSON.stringify(empty)} });
      post({ type: "restored", hasSnapshot: false });
      ${STAY}`;
    const { thread, clock } = startThread(t, program);
    await until("the end", () => thread.restarts === 1);
    clock.advance(BASE_MS);
    await thread.restored;
    assert.equal(thread.kinds.length, 3);
  });

  test("is asked to end, and has the time for it", async (t) => {
    const written = join(directory, "written");
    const program = `delta(1);
      parentPort.on("message", (command) => {
        if (command.type !== "stop") return;
        require("node:fs").writeFileSync(${JSON.stringify(written)}, "all");
        process.exit(0);
      });`;
    const { thread, log, applied } = startThread(t, program);
    await until("its delta", () => applied.length === 1);
    await thread.stop();
    assert.equal(readFileSync(written, "utf8"), "all");
    assert.deepEqual(log.messages("error"), []);
    assert.ok(!thread.isRunning);
  });
});
