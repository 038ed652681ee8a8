import { randomInt } from "node:crypto";

/** A number in [0, 1). Jitter and identifiers come through this port, so that a simulation can replay a seed. */
export type Random = () => number;

const RESOLUTION = 2 ** 47;

/** From the operating system's generator: predictable jitter or ids help an attacker (RFC 5452 section 9.2). */
export const systemRandom: Random = () => randomInt(RESOLUTION) / RESOLUTION;
