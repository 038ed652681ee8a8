import assert from "node:assert/strict";
import { test } from "node:test";
import { createSnapshotStore } from "../../../src/snapshot/snapshot-store.ts";
import type { SnapshotStore } from "../../../src/snapshot/snapshot-store.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeDisk } from "../../support/fake-disk.ts";
import { RecordingLog } from "../../support/recording-log.ts";
import { IDENTITY, numberedSnapshot, numberOf } from "../../support/snapshots.ts";

const DIRECTORY = "/var/lib/holdfast";
const CURRENT = `${DIRECTORY}/snapshot.current`;
const PREVIOUS = `${DIRECTORY}/snapshot.previous`;

interface Bench {
  readonly disk: FakeDisk;
  readonly clock: FakeClock;
  readonly log: RecordingLog;
  /** A store as a new process would have it. */
  readonly newStore: () => SnapshotStore;
}

function createBench(): Bench {
  const clock = new FakeClock();
  const disk = new FakeDisk(() => clock.wallMs());
  const log = new RecordingLog();
  let processes = 0;
  const newStore = (): SnapshotStore =>
    createSnapshotStore({
      disk,
      directory: DIRECTORY,
      clock,
      log,
      random: () => ++processes / 1000,
      agentVersion: "0.1.0",
    });
  return { disk, clock, log, newStore };
}

async function loadedNumber(store: SnapshotStore): Promise<number | undefined> {
  return numberOf((await store.load(() => true)).snapshot);
}

test("the first start finds nothing, and that is no problem", async () => {
  const { newStore } = createBench();
  assert.deepEqual(await newStore().load(() => true), {
    snapshot: undefined,
    generation: "none",
    problems: [],
  });
});

test("a saved snapshot is what the next process loads", async () => {
  const { disk, newStore } = createBench();
  const store = newStore();
  for (const number of [1, 2, 3]) {
    assert.equal((await store.save(numberedSnapshot(number))).outcome, "saved");
    assert.equal(await loadedNumber(newStore()), number);
  }
  assert.deepEqual(disk.paths, [CURRENT, PREVIOUS]);
  assert.equal(disk.openFiles, 0);
});

test("the previous generation stays until it is ten minutes old", async () => {
  const { disk, clock, newStore } = createBench();
  const store = newStore();
  await store.save(numberedSnapshot(1));
  const first = disk.content(CURRENT);
  await store.save(numberedSnapshot(2));
  assert.deepEqual(disk.content(PREVIOUS), first);
  clock.advance(9 * 60_000);
  await store.save(numberedSnapshot(3));
  const third = disk.content(CURRENT);
  assert.deepEqual(disk.content(PREVIOUS), first);
  clock.advance(60_000);
  await store.save(numberedSnapshot(4));
  assert.deepEqual(disk.content(PREVIOUS), third);
});

const DAMAGED_CURRENT = [
  { name: "empty", damage: () => new Uint8Array(), problem: /it has only 0 bytes/ },
  {
    name: "truncated",
    damage: (bytes: Uint8Array) => bytes.subarray(0, -1),
    problem: /SHA-256 does not match/,
  },
  {
    name: "of a later format",
    damage: (bytes: Uint8Array) => Uint8Array.of(...bytes.subarray(0, 8), 0, 9, 0, 9, ...bytes.subarray(12)),
    problem: /needs a reader of format 9/,
  },
];
for (const { name, damage, problem } of DAMAGED_CURRENT) {
  test(`a current file that is ${name} is set aside, and the previous one is served`, async () => {
    const { disk, log, newStore } = createBench();
    const store = newStore();
    await store.save(numberedSnapshot(1));
    await store.save(numberedSnapshot(2));
    const damaged = damage(disk.content(CURRENT) ?? new Uint8Array());
    disk.put(CURRENT, damaged);
    const loaded = await newStore().load(() => true);
    assert.equal(numberOf(loaded.snapshot), 1);
    assert.equal(loaded.generation, "previous");
    assert.match(loaded.problems.join("\n"), problem);
    assert.match(JSON.stringify(log.lines), problem);
    const aside = disk.paths.filter((path) => path.includes("snapshot.aside-"));
    assert.equal(aside.length, 1);
    assert.deepEqual(disk.content(aside[0]), Uint8Array.from(damaged));
    assert.equal(disk.content(CURRENT), undefined);
  });
}

test("at most three files are kept aside, the latest ones", async () => {
  const { disk, clock, newStore } = createBench();
  for (let round = 0; round < 6; round++) {
    clock.advance(1000);
    disk.put(CURRENT, Uint8Array.of(round));
    await newStore().load(() => true);
  }
  const aside = disk.paths.filter((path) => path.includes("snapshot.aside-"));
  assert.deepEqual(
    aside.map((path) => disk.content(path)?.[0]),
    [3, 4, 5],
  );
});

test("a snapshot of another cluster is set aside loudly, and not served", async () => {
  const { disk, log, newStore } = createBench();
  await newStore().save(numberedSnapshot(1, { ...IDENTITY, caFingerprint: "ca-2" }));
  const loaded = await newStore().load(({ caFingerprint }) => caFingerprint === IDENTITY.caFingerprint);
  assert.equal(loaded.snapshot, undefined);
  assert.match(
    loaded.problems[0],
    /snapshot.current is not used: it belongs to another cluster: its CA is ca-2/,
  );
  assert.match(JSON.stringify(log.lines), /another cluster/);
  assert.equal(disk.paths.filter((path) => path.includes("-foreign")).length, 1);
});

test("where the cluster cannot be checked, nothing is served and nothing is moved", async () => {
  const { disk, newStore } = createBench();
  await newStore().save(numberedSnapshot(1));
  const loaded = await newStore().load(() => Promise.reject(new Error("no kubeconfig")));
  assert.equal(loaded.snapshot, undefined);
  assert.match(loaded.problems[0], /no kubeconfig/);
  assert.deepEqual(disk.paths, [CURRENT]);
});

test("a symbolic link in place of the file is not followed, and the next save replaces it", async () => {
  const { disk, newStore } = createBench();
  disk.putSymbolicLink(CURRENT);
  const store = newStore();
  const loaded = await store.load(() => true);
  assert.equal(loaded.snapshot, undefined);
  assert.match(loaded.problems[0], /symbolic link/);
  await store.save(numberedSnapshot(1));
  assert.equal(await loadedNumber(newStore()), 1);
});

for (const code of ["ENOSPC", "EROFS", "EACCES", "EIO"]) {
  test(`on ${code} a save fails with the reason, keeps what is there, leaks nothing, and works once it is over`, async () => {
    const { disk, newStore } = createBench();
    const store = newStore();
    await store.save(numberedSnapshot(1));
    disk.failFromNow(code);
    for (let attempt = 0; attempt < 3; attempt++) {
      const result = await store.save(numberedSnapshot(2));
      assert.equal(result.outcome, "failed");
      assert.match((result as { problem: string }).problem, new RegExp(code));
      assert.equal(disk.openFiles, 0);
    }
    assert.equal(await loadedNumber(newStore()), 1);
    disk.heal();
    assert.equal((await store.save(numberedSnapshot(3))).outcome, "saved");
    assert.equal(await loadedNumber(newStore()), 3);
  });
}

test("whichever operation of a save fails, a committed state is there and the next save works", async () => {
  for (let failing = 1; ; failing++) {
    const { disk, newStore } = createBench();
    const store = newStore();
    await store.save(numberedSnapshot(1));
    await store.save(numberedSnapshot(2));
    disk.failOperation(failing, "EIO");
    const before = disk.operations;
    const result = await store.save(numberedSnapshot(3));
    const isOver = disk.operations - before < failing;
    const expected = result.outcome === "saved" ? [3] : [2, 3];
    assert.ok(expected.includes((await loadedNumber(newStore())) ?? -1), `operation ${failing}`);
    assert.equal(disk.openFiles, 0, `operation ${failing}`);
    await store.save(numberedSnapshot(4));
    assert.equal(await loadedNumber(newStore()), 4, `operation ${failing}`);
    assert.deepEqual(disk.paths, [CURRENT, PREVIOUS], `operation ${failing}`);
    if (isOver) break;
  }
});

test("whichever operation of a load fails, the load resolves", async () => {
  for (let failing = 1; ; failing++) {
    const { disk, newStore } = createBench();
    const store = newStore();
    await store.save(numberedSnapshot(1));
    await store.save(numberedSnapshot(2));
    disk.put(CURRENT, Uint8Array.of(1));
    disk.put(`${DIRECTORY}/snapshot.tmp-old-0`, Uint8Array.of(1));
    disk.failOperation(failing, "EIO");
    const before = disk.operations;
    const { snapshot, problems } = await newStore().load(() => true);
    assert.ok(numberOf(snapshot) === 1 || problems.length > 0, `operation ${failing}`);
    if (disk.operations - before < failing) break;
  }
});

test("an agent that is behind does not overwrite the later state of its successor", async () => {
  const { newStore, clock } = createBench();
  const old = newStore();
  await old.save(numberedSnapshot(5));
  const successor = newStore();
  await successor.load(() => true);
  await successor.save(numberedSnapshot(9));
  assert.equal((await old.save(numberedSnapshot(7))).outcome, "superseded");
  assert.equal(await loadedNumber(newStore()), 9);
  // The same again a minute later: the other one is gone, and this one is the truth we have.
  clock.advance(60_000);
  assert.equal((await old.save(numberedSnapshot(8))).outcome, "saved");
  assert.equal(await loadedNumber(newStore()), 8);
});

test("an agent that is ahead overwrites at once, digits compared as numbers", async () => {
  const { newStore } = createBench();
  const first = newStore();
  await first.save(numberedSnapshot(5));
  await newStore().save(numberedSnapshot(9));
  assert.equal((await first.save(numberedSnapshot(10))).outcome, "saved");
});

test("resourceVersions that went back in our own file are written: the cluster was restored", async () => {
  const { newStore } = createBench();
  await newStore().save(numberedSnapshot(900));
  const store = newStore();
  await store.load(() => true);
  assert.equal((await store.save(numberedSnapshot(5))).outcome, "saved");
});

test("a file of a later agent version is left alone for a minute", async () => {
  const { disk, clock, newStore } = createBench();
  const store = newStore();
  await store.save(numberedSnapshot(1));
  const bytes = disk.content(CURRENT) ?? new Uint8Array();
  disk.put(CURRENT, Uint8Array.of(...bytes.subarray(0, 8), 0, 9, 0, 9, ...bytes.subarray(12)));
  assert.equal((await store.save(numberedSnapshot(2))).outcome, "superseded");
  clock.advance(60_000);
  assert.equal((await store.save(numberedSnapshot(2))).outcome, "saved");
});

test("temporary files of dead processes go, those of a live one stay", async () => {
  const { disk, clock, newStore } = createBench();
  disk.put(`${DIRECTORY}/snapshot.tmp-dead-0`, Uint8Array.of(1));
  clock.advance(10 * 60_000 + 1);
  for (const name of ["a", "b", "c"]) {
    disk.put(`${DIRECTORY}/snapshot.tmp-${name}-0`, Uint8Array.of(1));
    clock.advance(1);
  }
  disk.put(`${DIRECTORY}/other-file`, Uint8Array.of(1));
  await newStore().load(() => true);
  assert.deepEqual(disk.paths, [
    `${DIRECTORY}/other-file`,
    `${DIRECTORY}/snapshot.tmp-b-0`,
    `${DIRECTORY}/snapshot.tmp-c-0`,
  ]);
});

test("one temporary file alone goes when it is old", async () => {
  const { disk, clock, newStore } = createBench();
  disk.put(`${DIRECTORY}/snapshot.tmp-dead-0`, Uint8Array.of(1));
  clock.advance(10 * 60_000 + 1);
  await newStore().load(() => true);
  assert.deepEqual(disk.paths, []);
});

test("setAside() moves both generations, and the next save starts anew", async () => {
  const { disk, newStore } = createBench();
  const store = newStore();
  await store.save(numberedSnapshot(1));
  await store.save(numberedSnapshot(2));
  await store.setAside("the CA changed");
  assert.equal(await loadedNumber(newStore()), undefined);
  assert.equal(disk.paths.filter((path) => path.includes("-refused")).length, 2);
  await store.save(numberedSnapshot(3));
  assert.equal(await loadedNumber(newStore()), 3);
});
