import { get } from "node:http";
import type { Clock } from "../base/clock.ts";
import type { SocketAddress } from "../base/socket-address.ts";
import type { Child } from "./child.ts";

const POLL_MS = 10;
const READY_TIMEOUT_MS = 15_000;

/** Polls /readyz until it answers 200. @returns Milliseconds; undefined when the process ended or never got ready. */
export async function waitUntilReady(
  agent: Child,
  admin: SocketAddress,
  clock: Clock,
): Promise<number | undefined> {
  const startedMs = clock.nowMs();
  while (!agent.hasExited && clock.nowMs() - startedMs < READY_TIMEOUT_MS) {
    if (await isReady(admin)) return clock.nowMs() - startedMs;
    await pause(POLL_MS, clock);
  }
  return undefined;
}

export function pause(ms: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(ms, resolve);
  });
}

function isReady({ address, port }: SocketAddress): Promise<boolean> {
  return new Promise((resolve) => {
    get({ host: address, port, path: "/readyz", agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on("error", () => resolve(false));
  });
}
