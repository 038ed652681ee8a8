/**
 * Looks names up at a fixed rate: a program for a pod. With the resolver of libc (getaddrinfo), as most programs do, or with Node.js's
 * other one, c-ares, which knows no search list.
 *
 * usage: lookups.ts getaddrinfo|c-ares LOOKUPS_PER_SECOND NAME=IPV4...
 *
 * Each second a line of JSON with the sums so far (`LookupTotals`). Wants UV_THREADPOOL_SIZE to be larger than the number of lookups that
 * may wait at a time.
 */
import { lookup, resolve4 } from "node:dns/promises";

export interface LookupTotals {
  /** Those that have ended. */
  readonly done: number;
  /** The resolver gave up. */
  readonly failed: number;
  readonly wrong: number;
  readonly over100Ms: number;
  readonly over1000Ms: number;
  /** Of the last second. */
  readonly longestMs: number;
}

function main([resolver, rate, ...pairs]: readonly string[]): void {
  const questions = pairs.map((pair) => pair.split("="));
  const totals = { done: 0, failed: 0, wrong: 0, over100Ms: 0, over1000Ms: 0, longestMs: 0 };
  const find = resolver === "c-ares" ? resolve : getAddress;
  const ask = async ([name, expected]: readonly string[]) => {
    const startMs = performance.now();
    try {
      if ((await find(name)) !== expected) totals.wrong++;
    } catch {
      totals.failed++;
    }
    totals.done++;
    const tookMs = performance.now() - startMs;
    if (tookMs > 100) totals.over100Ms++;
    if (tookMs > 1000) totals.over1000Ms++;
    totals.longestMs = Math.max(totals.longestMs, tookMs);
  };
  let made = 0;
  setInterval(() => void ask(questions[made++ % questions.length]), 1000 / Number(rate));
  setInterval(() => {
    console.log(JSON.stringify(totals));
    totals.longestMs = 0;
  }, 1000);
}

async function getAddress(name: string): Promise<string> {
  return (await lookup(name, { family: 4 })).address;
}

async function resolve(name: string): Promise<string> {
  const [address] = await resolve4(name);
  return address;
}

main(process.argv.slice(2));
