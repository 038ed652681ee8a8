import { Worker } from "node:worker_threads";

/**
 * Limits of the thread's heap. A leak or a monstrous object ends the thread, not the process; a small young generation keeps the memory of
 * every node down, and the collector here holds up nobody.
 */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 4, stackSizeMb: 2 };

/**
 * Starts a thread that waits for its `start` command.
 * @throws Error if the operating system has no thread for us.
 */
export function createSyncWorker(file: string): Worker {
  return new Worker(file, { resourceLimits: RESOURCE_LIMITS, name: "sync" });
}
