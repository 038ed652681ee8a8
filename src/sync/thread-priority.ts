import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";

/** Niceness where we may choose freely (root, or CAP_SYS_NICE): the DNS thread wakes up at once, the sync thread is like any other. */
const DNS_THREAD = -10;
const SYNC_THREAD = 0;
/** Where we may only lower ourselves. A little: facts must not wait behind every other process of the node. */
const SYNC_THREAD_LOWERED = 5;

/**
 * Puts the calling thread before everything else that wants the processor: a relist on a busy node must not hold up answers.
 *
 * @returns false where the kernel does not let us, which is usual in a container.
 */
export function raiseDnsThread(): boolean {
  return setThreadNiceness(DNS_THREAD);
}

/** Puts the calling thread behind the DNS thread. It may have inherited that one's place. */
export function yieldToDnsThread(isDnsThreadRaised: boolean): void {
  setThreadNiceness(isDnsThreadRaised ? SYNC_THREAD : SYNC_THREAD_LOWERED);
}

/** Linux keeps a niceness per thread, under the thread's id; elsewhere nothing happens. */
function setThreadNiceness(niceness: number): boolean {
  try {
    // "<process id>/task/<thread id>", seen from the thread that asks.
    const threadId = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
    setPriority(threadId, niceness);
    return true;
  } catch {
    return false;
  }
}
