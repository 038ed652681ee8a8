import { randomInt } from "node:crypto";
import type { TestContext } from "node:test";

/** Numbers in [0, 1) that `SEED` repeats; the seed is printed with the test. */
export function seededRandom(t: TestContext): () => number {
  const seed = Number(process.env["SEED"] ?? randomInt(2 ** 31));
  console.log(`# seed of "${t.name}": SEED=${seed}`);
  return mulberry32(seed);
}

/** Tommy Ettinger's mulberry32: 32 bits of state are enough to choose moments and names. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
