import type { Feed } from "../model/feed.ts";
import type { GuardPolicy, ListFacts } from "./guard-policy.ts";

/** A second empty list this long after the first is believed, where empty is possible at all. */
const CONFIRM_AFTER_MS = 60_000;

/** Every cluster has these, and an agent that believed otherwise would deny every name of the cluster. */
const NEVER_EMPTY: Partial<Record<Feed, string>> = {
  namespaces: "every cluster has kube-system",
  services: "every cluster has default/kubernetes",
};

/**
 * Holds empty lists: after an etcd restore, under an RBAC filter, or from a half-started API server, "nothing" is an answer that
 * no cluster ever means. OpenYurt's YurtHub refuses them for the same reason; CoreDNS turns them into NXDOMAIN for everything.
 *
 * Not for manifests: there an empty directory is what a person made.
 */
export class ZeroGuard implements GuardPolicy {
  readonly name = "zero-guard";
  /** When the first of a row of empty lists came. */
  readonly #firstEmptyMs = new Map<Feed, number>();

  judge({ feed, listedObjects, heldObjects, nowMs }: ListFacts): string | undefined {
    if (listedObjects > 0) return undefined;
    const never = NEVER_EMPTY[feed];
    if (never !== undefined) return `the list of ${feed} is empty, ${heldObjects} are served: ${never}`;
    if (heldObjects === 0) return undefined;
    const firstMs = this.#firstEmptyMs.get(feed) ?? nowMs;
    this.#firstEmptyMs.set(feed, firstMs);
    if (nowMs - firstMs >= CONFIRM_AFTER_MS) return undefined;
    return `the list of ${feed} is empty, ${heldObjects} are served: waiting for a second empty list after ${CONFIRM_AFTER_MS / 1000} s`;
  }

  accepted({ feed }: ListFacts): void {
    this.#firstEmptyMs.delete(feed);
  }
}
