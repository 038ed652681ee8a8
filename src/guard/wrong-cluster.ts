import type { GuardPolicy, ListFacts } from "./guard-policy.ts";

/**
 * Holds lists of a cluster that is not ours: the kube-system Namespace has another UID. Behind one address and one CA that
 * happens when etcd was rebuilt, or when a load balancer mixes two control planes. The first UID that was accepted is ours,
 * for as long as the snapshot lives; a rebuilt cluster is taken over by removing the snapshot files.
 */
export class WrongCluster implements GuardPolicy {
  readonly name = "wrong-cluster";
  #clusterUid: string;
  /** The last UID that was not ours; empty once ours was seen again. While it is set, a list without a UID proves nothing. */
  #otherUid = "";

  /** @param clusterUid  From the snapshot's identity; empty while unknown. */
  constructor(clusterUid: string) {
    this.#clusterUid = clusterUid;
  }

  /** Ours; empty while unknown. */
  get clusterUid(): string {
    return this.#clusterUid;
  }

  judge({ feed, origin: { clusterUid } }: ListFacts): string | undefined {
    if (this.#clusterUid === "") return undefined;
    if (clusterUid === this.#clusterUid) this.#otherUid = "";
    else if (clusterUid !== "") this.#otherUid = clusterUid;
    if (this.#otherUid === "") return undefined;
    return (
      `the list of ${feed} comes from another cluster: kube-system has UID ${this.#otherUid}, ours has ${this.#clusterUid}; ` +
      "if it was rebuilt on purpose, stop the agent and remove snapshot.* in its data directory"
    );
  }

  accepted({ origin }: ListFacts): void {
    if (this.#clusterUid === "") this.#clusterUid = origin.clusterUid;
  }
}
