import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createSnapshotStore } from "../../src/snapshot/snapshot-store.ts";
import type { SnapshotStore } from "../../src/snapshot/snapshot-store.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { FakeDisk } from "../support/fake-disk.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { numberedSnapshot, numberOf } from "../support/snapshots.ts";

const DIRECTORY = "/data";

/** What happens in the life of a node: saves with pauses between, and a power cut in the middle of one of them. */
const lives = fc.array(
  fc.record({
    pausesMs: fc.array(fc.constantFrom(0, 500, 6 * 60_000, 11 * 60_000), { minLength: 1, maxLength: 5 }),
    crashAtOperation: fc.integer({ min: 1, max: 40 }),
    isSecondAgent: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
);
const choices = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));

test("after a power cut at any operation, what is loaded was committed, and nothing committed later is lost", async () => {
  await fc.assert(
    fc.asyncProperty(lives, choices, async (cycles, stream) => {
      const random = (): number => stream.next().value;
      const clock = new FakeClock();
      const disk = new FakeDisk(() => clock.wallMs());
      const newStore = (): SnapshotStore =>
        createSnapshotStore({
          disk,
          directory: DIRECTORY,
          clock,
          log: new RecordingLog(),
          random,
          agentVersion: "0",
        });
      let number = 0;
      /** The last state that a save reported as written; later ones may be there too. */
      let committed: number | undefined;
      for (const { pausesMs, crashAtOperation, isSecondAgent } of cycles) {
        const stores = isSecondAgent ? [newStore(), newStore()] : [newStore()];
        for (const store of stores) await store.load(() => true);
        disk.crashAtOperation(crashAtOperation);
        for (const [index, pauseMs] of pausesMs.entries()) {
          clock.advance(pauseMs);
          const result = await stores[index % stores.length].save(numberedSnapshot(++number));
          if (result.outcome === "saved") committed = number;
        }
        disk.restart(random);
        const found = numberOf((await newStore().load(() => true)).snapshot);
        assert.ok(
          found === committed || (found !== undefined && found > (committed ?? 0) && found <= number),
        );
        committed = found;
      }
      assert.ok(disk.paths.length <= 2 + 3 + 2, `files pile up: ${disk.paths.join(" ")}`);
    }),
    { numRuns: 500 },
  );
});
