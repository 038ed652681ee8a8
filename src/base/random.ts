/** A number in [0, 1). Jitter and identifiers come through this port, so that a simulation can replay a seed. */
export type Random = () => number;

const RESOLUTION = 2 ** 47;

/** From the operating system's generator: predictable jitter or ids help an attacker (RFC 5452 section 9.2). */
export const systemRandom: Random = () => {
  // Loaded when it is first asked: the DNS thread hardly ever needs a random number, and the module costs 2 MiB.
  const { randomInt } = process.getBuiltinModule("node:crypto");
  return randomInt(RESOLUTION) / RESOLUTION;
};
