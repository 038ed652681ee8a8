import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { Random } from "../../base/random.ts";
import type { Feed } from "../../model/feed.ts";
import type { FactSink, Source } from "../source.ts";
import { ApiCaller } from "./api-caller.ts";
import { ApiGate } from "./api-gate.ts";
import type { ApiTransport } from "./api-transport.ts";
import { ClusterUid } from "./cluster-uid.ts";
import { feedsFor, specOfFeed } from "./feeds.ts";
import { Reflector } from "./reflector.ts";
import { DEFAULT_TIMINGS, type ReflectorTimings } from "./reflector-timings.ts";
import type { RequestBudget } from "./request-budget.ts";
import { ResumeCheck } from "./resume-check.ts";
import { WatchListSupport } from "./watch-list-support.ts";

export interface KubernetesSourceOptions {
  readonly endpoints: "headless" | "all";
  /** For each feed that the snapshot holds complete, the resourceVersion up to which it does. Such a feed makes no list. */
  readonly resume: ReadonlyMap<Feed, string>;
  /** UID of kube-system in the cluster that the snapshot is of; absent or empty while not known. */
  readonly clusterUid?: string;
  readonly timings?: Partial<ReflectorTimings>;
}

export interface KubernetesSourceIo {
  readonly transport: ApiTransport;
  readonly budget: RequestBudget;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * Follows a server that speaks the Kubernetes list/watch protocol, the API server or a relay: one reflector for each feed,
 * behind one gate. Reads only (invariant I7), and on nobody's demand but its own (invariant I3).
 */
export function createKubernetesSource(
  options: KubernetesSourceOptions,
  io: KubernetesSourceIo,
  sink: FactSink,
): Source {
  const timings: ReflectorTimings = { ...DEFAULT_TIMINGS, ...options.timings };
  const gate = new ApiGate(timings, io);
  const caller = new ApiCaller({ transport: io.transport, gate, clock: io.clock });
  const clusterUid = new ClusterUid(timings, { caller, clock: io.clock });
  const { clock, random, log } = io;
  const resumeCheck = new ResumeCheck(options.clusterUid ?? "", timings, {
    caller,
    clock: io.clock,
    clusterUid,
  });
  const shared = { caller, clusterUid, resumeCheck, watchList: new WatchListSupport(), clock, random, log };
  const reflectors = feedsFor(options.endpoints).map(
    (feed) => new Reflector(specOfFeed(feed), options.resume.get(feed) ?? "", timings, shared, sink),
  );
  return {
    start: () => {
      for (const reflector of reflectors) reflector.start();
    },
    stop: () => {
      for (const reflector of reflectors) reflector.stop();
    },
  };
}
