import { join } from "node:path";
import { createSyncWorker } from "./sync-worker-thread.ts";

/**
 * The first sync thread, started when this module is loaded: before the agent's own code is read and its settings are, because a thread takes
 * 50 ms to come up, and the first answer after a restart waits for it. It waits for a `start` command and, until then, keeps no process alive.
 */
export const firstSyncWorker = createSyncWorker(join(__dirname, "sync-worker.cjs"));
firstSyncWorker.unref();
// Why it ended is asked later, by whoever takes it over; without a listener an error would end the process.
firstSyncWorker.on("error", () => {});
