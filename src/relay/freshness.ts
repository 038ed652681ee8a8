import type { Clock } from "../base/clock.ts";
import { tooLargeResourceVersion } from "./api-status.ts";
import type { ObjectStore } from "./object-store.ts";

/** As long as the API server's cache waits for etcd (`blockTimeout`). */
const FRESHNESS_TIMEOUT_MS = 3_000;

/**
 * Waits until the store has reached a revision that a client has seen elsewhere.
 *
 * @throws ApiStatusError 504 "Too large resource version" when it has not in time.
 */
export function waitUntilFresh(store: ObjectStore, revision: number, clock: Clock): Promise<void> {
  if (store.revision >= revision) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(FRESHNESS_TIMEOUT_MS, () => {
      unsubscribe();
      reject(tooLargeResourceVersion(revision, store.revision));
    });
    const unsubscribe = store.onChange(() => {
      if (store.revision < revision) return;
      unsubscribe();
      timer.cancel();
      resolve();
    });
  });
}
