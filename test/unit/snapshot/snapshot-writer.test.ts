import assert from "node:assert/strict";
import { test } from "node:test";
import type { SaveResult, SnapshotStore } from "../../../src/snapshot/snapshot-store.ts";
import { SnapshotWriter } from "../../../src/snapshot/snapshot-writer.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { RecordingLog } from "../../support/recording-log.ts";
import { numberedSnapshot, numberOf } from "../../support/snapshots.ts";

interface Bench {
  readonly clock: FakeClock;
  readonly log: RecordingLog;
  readonly writer: SnapshotWriter;
  /** `number@start` of every save. */
  readonly saves: string[];
  /** What the next saves answer, and how long they take. */
  readonly disk: { result: SaveResult; durationMs: number };
  /** The state that a save would write. */
  readonly state: { number: number };
}

function createBench(): Bench {
  const clock = new FakeClock();
  const log = new RecordingLog();
  const saves: string[] = [];
  const disk: Bench["disk"] = { result: { outcome: "saved", sizeBytes: 10 }, durationMs: 0 };
  const state = { number: 0 };
  const store: Pick<SnapshotStore, "save"> = {
    save: (snapshot) => {
      saves.push(`${numberOf(snapshot)}@${clock.nowMs()}`);
      const { result } = disk;
      return new Promise((resolve) => {
        clock.setTimer(disk.durationMs, () => resolve(result));
      });
    },
  };
  const writer = new SnapshotWriter({
    store: store as SnapshotStore,
    clock,
    log,
    takeSnapshot: () => numberedSnapshot(state.number),
  });
  return { clock, log, writer, saves, disk, state };
}

const FAILED: SaveResult = { outcome: "failed", problem: "ENOSPC: no space left" };
const SAVED: SaveResult = { outcome: "saved", sizeBytes: 10 };

test("changes that follow each other are one write, half a second after the first", async () => {
  const { clock, writer, saves, state } = createBench();
  for (const number of [1, 2, 3]) {
    state.number = number;
    writer.changed();
    await clock.advanceAsync(100);
  }
  await clock.advanceAsync(5_000);
  assert.deepEqual(saves, ["3@500"]);
  assert.equal(writer.state.lastSavedMs, 500);
});

test("a change during a write is written after it, never beside it", async () => {
  const { clock, writer, saves, state, disk } = createBench();
  disk.durationMs = 200;
  writer.changed();
  await clock.advanceAsync(510);
  state.number = 1;
  writer.changed();
  disk.durationMs = 5_000;
  await clock.advanceAsync(610);
  state.number = 2;
  writer.changed();
  await clock.advanceAsync(4_800);
  assert.deepEqual(saves, ["0@500", "1@1010"]);
  await clock.advanceAsync(200_000);
  assert.deepEqual(saves, ["0@500", "1@1010", "2@6010"]);
});

test("under constant change every change is on disk within a second", async () => {
  const { clock, writer, state, saves, disk } = createBench();
  disk.durationMs = 200;
  for (let number = 0; number < 100; number++) {
    state.number = number;
    writer.changed();
    await clock.advanceAsync(100);
  }
  const starts = saves.map((save) => Number(save.split("@")[1]));
  const gaps = starts.slice(1).map((start, index) => start - starts[index]);
  assert.ok(
    gaps.every((gap) => gap + disk.durationMs <= 1_000 + 100),
    gaps.join(" "),
  );
  assert.ok(starts.length <= 10_000 / 500);
});

test("a slow disk rests for twenty times as long as it worked", async () => {
  const { clock, writer, saves, disk } = createBench();
  disk.durationMs = 1_000;
  for (const pauseMs of [2_000, 2_000, 30_000]) {
    writer.changed();
    await clock.advanceAsync(pauseMs);
  }
  assert.deepEqual(saves, ["0@500", "0@2500", "0@23500"]);
});

test("one slow write does not put off the change behind it: the thread may only have been busy", async () => {
  const { clock, writer, saves, state, disk } = createBench();
  disk.durationMs = 400;
  writer.changed();
  await clock.advanceAsync(600);
  disk.durationMs = 0;
  state.number = 1;
  writer.changed();
  await clock.advanceAsync(5_000);
  assert.deepEqual(saves, ["0@500", "1@1100"]);
});

test("progress alone is written every thirty seconds at most", async () => {
  const { clock, writer, saves } = createBench();
  for (let second = 0; second < 70; second++) {
    writer.progressed();
    await clock.advanceAsync(1_000);
  }
  assert.deepEqual(saves, ["0@30000", "0@60000"]);
});

test("a change takes waiting progress along", async () => {
  const { clock, writer, saves } = createBench();
  writer.progressed();
  await clock.advanceAsync(1_000);
  writer.changed();
  await clock.advanceAsync(40_000);
  assert.deepEqual(saves, ["0@1500"]);
});

test("a disk that refuses is asked again with growing pauses, and mentioned once each way", async () => {
  const { clock, log, writer, saves, disk } = createBench();
  disk.result = FAILED;
  writer.changed();
  await clock.advanceAsync(20_000);
  assert.deepEqual(saves, ["0@500", "0@1500", "0@3500", "0@7500", "0@15500"]);
  assert.equal(writer.state.problem, "ENOSPC: no space left");
  assert.deepEqual(log.messages("error"), ["snapshot cannot be written; serving goes on from memory"]);
  await clock.advanceAsync(60 * 60_000);
  const before = saves.length;
  await clock.advanceAsync(60 * 60_000);
  assert.equal(saves.length - before, 12, "every five minutes in the end");

  disk.result = SAVED;
  await clock.advanceAsync(5 * 60_000);
  assert.equal(writer.state.problem, undefined);
  assert.deepEqual(log.messages("info"), ["snapshot is written again"]);
  assert.equal(log.messages("error").length, 1);
  const done = saves.length;
  await clock.advanceAsync(60 * 60_000);
  assert.equal(saves.length, done, "nothing is left to write");
});

test("a state that another agent overtook is offered again, and is no problem", async () => {
  const { clock, writer, saves, disk } = createBench();
  disk.result = { outcome: "superseded" };
  writer.changed();
  await clock.advanceAsync(31_000);
  assert.deepEqual(saves, ["0@500", "0@30500"]);
  assert.equal(writer.state.problem, undefined);
});

test("flush() waits for the write under way, and then writes what came after it", async () => {
  const { clock, writer, saves, state, disk } = createBench();
  disk.durationMs = 100;
  writer.changed();
  await clock.advanceAsync(550);
  state.number = 1;
  writer.changed();
  let isFlushed = false;
  const flushAndTell = async (): Promise<void> => {
    await writer.flush();
    isFlushed = true;
  };
  void flushAndTell();
  await clock.advanceAsync(100);
  assert.equal(isFlushed, false);
  await clock.advanceAsync(60);
  assert.equal(isFlushed, true);
  assert.deepEqual(saves, ["0@500", "1@600"]);
});

test("flush() writes nothing where nothing is unwritten, and resolves where the disk refuses", async () => {
  const { clock, writer, saves, disk } = createBench();
  await writer.flush();
  assert.deepEqual(saves, []);
  disk.result = FAILED;
  writer.changed();
  const flushed = writer.flush();
  await clock.advanceAsync(1);
  await flushed;
  assert.deepEqual(saves, ["0@0"]);
});

test("stop() leaves no timer", async () => {
  const { clock, writer, saves, disk } = createBench();
  disk.result = FAILED;
  writer.changed();
  await clock.advanceAsync(600);
  writer.changed();
  writer.stop();
  writer.stop();
  assert.equal(clock.pendingTimers, 0);
  writer.changed();
  await clock.advanceAsync(60_000);
  assert.equal(saves.length, 1);
});

test("a snapshot that cannot be taken is a problem like a full disk", async () => {
  const clock = new FakeClock();
  const writer = new SnapshotWriter({
    store: {} as SnapshotStore,
    clock,
    log: new RecordingLog(),
    takeSnapshot: () => {
      throw new RangeError("Array buffer allocation failed");
    },
  });
  writer.changed();
  await clock.advanceAsync(600);
  assert.equal(writer.state.problem, "Array buffer allocation failed");
});
