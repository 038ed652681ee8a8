import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";

const NICENESS = 10;

/**
 * Lowers the priority of the calling thread, so that a relist on a busy node takes its time from itself and not from the DNS thread.
 * Linux keeps a niceness per thread, under the thread's id; elsewhere nothing happens.
 */
export function yieldToDnsThread(): void {
  try {
    // "<process id>/task/<thread id>", seen from the thread that asks.
    const threadId = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
    if (Number.isInteger(threadId)) setPriority(threadId, NICENESS);
  } catch {
    // A convenience: without it the kernel shares the processor evenly.
  }
}
