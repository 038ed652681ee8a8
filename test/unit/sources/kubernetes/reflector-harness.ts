import type { Feed } from "../../../../src/model/feed.ts";
import { ApiCaller } from "../../../../src/sources/kubernetes/api-caller.ts";
import { ApiGate } from "../../../../src/sources/kubernetes/api-gate.ts";
import { ClusterUid } from "../../../../src/sources/kubernetes/cluster-uid.ts";
import { specOfFeed } from "../../../../src/sources/kubernetes/feeds.ts";
import { Reflector } from "../../../../src/sources/kubernetes/reflector.ts";
import { DEFAULT_TIMINGS } from "../../../../src/sources/kubernetes/reflector-timings.ts";
import type { RequestBudget, RequestKind } from "../../../../src/sources/kubernetes/request-budget.ts";
import { ResumeCheck } from "../../../../src/sources/kubernetes/resume-check.ts";
import { WatchListSupport } from "../../../../src/sources/kubernetes/watch-list-support.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { RecordingLog } from "../../../support/recording-log.ts";
import { type ScriptedRequest, ScriptedTransport } from "../../../support/scripted-transport.ts";
import { kubeSystem, kubeSystemList } from "./objects.ts";
import { StateSink } from "./state-sink.ts";

/** Never refuses, and counts. */
export class CountingBudget implements RequestBudget {
  readonly taken: Record<RequestKind, number> = { request: 0, list: 0 };
  /** What the next calls return; 0 when there is none. */
  readonly waits: number[] = [];

  take(kind: RequestKind): number {
    const waitMs = this.waits.shift() ?? 0;
    if (waitMs === 0) this.taken[kind]++;
    return waitMs;
  }
}

/** One reflector with everything around it in the hands of the test. Random numbers are all one half. */
export class ReflectorHarness {
  readonly clock = new FakeClock();
  readonly transport = new ScriptedTransport((run) => void this.clock.setTimer(0, run));
  readonly budget = new CountingBudget();
  readonly sink = new StateSink();
  readonly log = new RecordingLog();
  readonly watchList = new WatchListSupport();
  readonly reflector: Reflector;
  readonly feed: Feed;
  readonly #confirmsHistory: boolean;

  constructor(
    options: {
      feed?: Feed;
      resumeFrom?: string;
      streamsLists?: boolean;
      clusterUid?: string;
      confirmsHistory?: boolean;
    } = {},
  ) {
    const { clock, budget, log, watchList } = this;
    const random = half;
    this.feed = options.feed ?? "services";
    this.#confirmsHistory = options.confirmsHistory ?? true;
    if (options.streamsLists !== undefined) watchList.found(options.streamsLists);
    const gate = new ApiGate(DEFAULT_TIMINGS, { clock, random, budget });
    const caller = new ApiCaller({ transport: this.transport, gate, clock });
    const clusterUid = new ClusterUid(DEFAULT_TIMINGS, { caller, clock });
    const resumeCheck = new ResumeCheck(options.clusterUid ?? "", DEFAULT_TIMINGS, {
      caller,
      clock,
      clusterUid,
    });
    const io = { caller, clusterUid, resumeCheck, watchList, clock, random, log };
    const spec = specOfFeed(this.feed);
    this.reflector = new Reflector(spec, options.resumeFrom ?? "", DEFAULT_TIMINGS, io, this.sink);
  }

  start(): this {
    this.reflector.start();
    return this;
  }

  /** The next request; time passes until there is one, at most `withinMs`. Questions for our history are answered with yes. */
  next(withinMs = 0): ScriptedRequest {
    let leftMs = withinMs;
    for (;;) {
      while (this.transport.waiting.length === 0) {
        const stepMs = this.clock.nextTimerInMs;
        if (stepMs === undefined || stepMs > leftMs) break;
        this.clock.advance(stepMs);
        leftMs -= stepMs;
      }
      const request = this.transport.take();
      if (!isHistoryCheck(request) || !this.#confirmsHistory) return request;
      request.answer(kubeSystem());
    }
  }

  /** The next request, which must be the one for the identity of the cluster, answered. */
  identify(withinMs = 0): void {
    const request = this.next(withinMs);
    if (request.parameter("fieldSelector") !== "metadata.name=kube-system") {
      throw new Error(`expected the cluster's identity to be asked for, got ${request.path}`);
    }
    request.answer(kubeSystemList());
  }

  get statuses(): string[] {
    return this.sink.statuses.map((line) => line.slice(this.feed.length + 1));
  }

  get keys(): string[] {
    return this.sink.keys(this.feed);
  }
}

export function isHistoryCheck(request: ScriptedRequest): boolean {
  return request.url.pathname === "/api/v1/namespaces/kube-system";
}

function half(): number {
  return 0.5;
}
