import type { GuardPolicy } from "../guard/guard-policy.ts";
import type { Feed } from "../model/feed.ts";
import type { ClusterIdentity } from "../snapshot/snapshot.ts";
import type { FactSink, Source } from "../sources/source.ts";
import { manifestsFingerprint } from "./manifests-identity.ts";
import type { SourceDriver } from "./source-driver.ts";

/** A directory of manifests as a source. What stands there is what a person means: no guard policy second-guesses it. */
export class ManifestsDriver implements SourceDriver {
  readonly feeds: readonly Feed[] = ["namespaces", "services", "endpointslices"];
  readonly #fingerprint: string;
  readonly #createSource: (sink: FactSink) => Source;
  #source: Source | undefined;

  /** @param directory  Absolute: it identifies the "cluster". */
  constructor(directory: string, createSource: (sink: FactSink) => Source) {
    this.#fingerprint = manifestsFingerprint(directory);
    this.#createSource = createSource;
  }

  isOurs(identity: ClusterIdentity): Promise<boolean> {
    return Promise.resolve(identity.caFingerprint === this.#fingerprint);
  }

  identity(): ClusterIdentity {
    return { caFingerprint: this.#fingerprint, configDigest: this.#fingerprint, clusterUid: "" };
  }

  policies(): readonly GuardPolicy[] {
    return [];
  }

  start(sink: FactSink): void {
    this.#source = this.#createSource(sink);
    this.#source.start();
  }

  stop(): void {
    this.#source?.stop();
  }

  traffic(): undefined {
    return undefined;
  }
}
