import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import type { GuardPolicy } from "../guard/guard-policy.ts";
import { WrongCluster } from "../guard/wrong-cluster.ts";
import { ZeroGuard } from "../guard/zero-guard.ts";
import type { Feed } from "../model/feed.ts";
import type { ClusterIdentity } from "../snapshot/snapshot.ts";
import { type ApiClient, createApiClient } from "../sources/kubernetes/api-client.ts";
import { compareIdentity } from "../sources/kubernetes/cluster-identity.ts";
import { Credentials, type CredentialsSource } from "../sources/kubernetes/credentials.ts";
import { feedsFor } from "../sources/kubernetes/feeds.ts";
import { createKubernetesSource } from "../sources/kubernetes/kubernetes-source.ts";
import type { RequestBudget } from "../sources/kubernetes/request-budget.ts";
import type { FactSink, Source } from "../sources/source.ts";
import { isOfManifests } from "./manifests-identity.ts";
import { MeteredTransport } from "./metered-transport.ts";
import type { SourceDriver, SourceTraffic } from "./source-driver.ts";

export interface KubernetesDriverOptions {
  readonly endpoints: "headless" | "all";
  readonly version: string;
  readonly credentials: CredentialsSource;
  readonly budget: RequestBudget;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The API server as a source: credentials, client, reflectors, and the guard's policies for them. */
export class KubernetesDriver implements SourceDriver {
  readonly feeds: readonly Feed[];
  readonly #options: KubernetesDriverOptions;
  readonly #credentials: Credentials;
  readonly #client: ApiClient;
  readonly #transport: MeteredTransport;
  #wrongCluster = new WrongCluster("");
  #source: Source | undefined;

  constructor(options: KubernetesDriverOptions) {
    this.#options = options;
    this.feeds = feedsFor(options.endpoints);
    const { clock, log, version } = options;
    this.#credentials = new Credentials(options.credentials, { clock, log });
    this.#client = createApiClient({ version }, { credentials: this.#credentials, clock, log });
    this.#transport = new MeteredTransport(this.#client);
  }

  async isOurs(identity: ClusterIdentity): Promise<boolean> {
    if (isOfManifests(identity)) return false;
    const verdict = await compareIdentity(identity, this.#credentials);
    if (typeof verdict === "string") return verdict === "same";
    this.#options.log.error("API credentials cannot be loaded; the snapshot is served as it is", {
      error: verdict.unknown,
    });
    return true;
  }

  identity(restored: ClusterIdentity | undefined): ClusterIdentity {
    const { caFingerprint, configDigest } = this.#client.identity() ??
      restored ?? { caFingerprint: "", configDigest: "" };
    return { caFingerprint, configDigest, clusterUid: this.#wrongCluster.clusterUid };
  }

  policies(clusterUid: string): readonly GuardPolicy[] {
    this.#wrongCluster = new WrongCluster(clusterUid);
    return [this.#wrongCluster, new ZeroGuard()];
  }

  start(sink: FactSink, resume: ReadonlyMap<Feed, string>): void {
    const { endpoints, budget, clock, random, log } = this.#options;
    const transport = this.#transport;
    this.#source = createKubernetesSource(
      { endpoints, resume, clusterUid: this.#wrongCluster.clusterUid },
      { transport, budget, clock, random, log },
      sink,
    );
    this.#source.start();
  }

  stop(): void {
    this.#source?.stop();
  }

  traffic(): SourceTraffic {
    return this.#transport.traffic();
  }
}
