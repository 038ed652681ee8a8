import { randomInt } from "node:crypto";

/** From the environment, or a new one. Tests print it: `SEED=... npm test` repeats them. */
export function chooseSeed(): number {
  return Number(process.env["SEED"] ?? randomInt(2 ** 31));
}

/** Numbers in [0, 1) that the seed repeats: Tommy Ettinger's mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
