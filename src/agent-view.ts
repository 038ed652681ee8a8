import type {
  AdminView,
  ApiTraffic,
  Condition,
  EventLoopDelay,
  HeldList,
  KindStatus,
  Rejections,
  SnapshotStatus,
  SocketStatus,
  SyncWorkerStatus,
  TableStatus,
  Traffic,
} from "./admin/admin-view.ts";
import type { AnswerTable } from "./answers/answer-table.ts";
import { MASK_ALL } from "./answers/delta.ts";
import { ANSWERS_LIVE, ANSWERS_STALE, type Responder } from "./answers/responder.ts";
import type { Clock } from "./base/clock.ts";
import type { AgentConfig } from "./config/agent-config.ts";
import { MAX_UDP_PAYLOAD_OCTETS } from "./dns/constants.ts";
import { TRANSPORT_UDP } from "./dns/transport.ts";
import type { EventLoopMeter } from "./metrics/event-loop-meter.ts";
import { KINDS, type Kind } from "./model/records.ts";
import type { DnsServer } from "./server/dns-server.ts";
import type { ServerMeters } from "./server/server-meters.ts";
import type { SyncThread } from "./sync/sync-thread.ts";

export interface AgentStages {
  readonly config: AgentConfig;
  readonly version: string;
  readonly clock: Clock;
  readonly table: AnswerTable;
  readonly responder: Responder;
  /** The health probe's own, over the same table: the probe is no client, and no counter moves. */
  readonly probedResponder: Responder;
  readonly meters: ServerMeters;
  readonly loop: EventLoopMeter;
  readonly sync: SyncThread;
  readonly server: DnsServer;
}

/** `. SOA IN` with an id of 0: what the probe asks the responder. Any well-formed reply will do. */
const PROBE = new Uint8Array([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1]);

/** What the stages say of themselves, in the form in which `admin/` shows it. */
export class AgentView implements AdminView {
  readonly version: string;
  readonly config: AgentConfig;
  readonly startedAtWallMs: number;
  readonly #stages: AgentStages;
  readonly #startedAtMs: number;
  readonly #probeReply = new Uint8Array(MAX_UDP_PAYLOAD_OCTETS);

  constructor(stages: AgentStages) {
    this.#stages = stages;
    this.version = stages.version;
    this.config = stages.config;
    this.startedAtWallMs = stages.clock.wallMs();
    this.#startedAtMs = stages.clock.nowMs();
  }

  uptimeSeconds(): number {
    return (this.#stages.clock.nowMs() - this.#startedAtMs) / 1000;
  }

  /** That this runs at all shows that the DNS loop turns; the probe shows that it answers. */
  health(): readonly Condition[] {
    const { probedResponder } = this.#stages;
    const octets = probedResponder.respond(PROBE, PROBE.length, this.#probeReply, TRANSPORT_UDP);
    const isMet = octets >= PROBE.length;
    return [{ name: "dns-loop", isMet, reason: isMet ? "it answers" : "it gives no answer" }];
  }

  readiness(): readonly Condition[] {
    const sockets = this.sockets();
    const open = sockets.filter(({ isOpen }) => isOpen);
    const problems = sockets.filter(({ isOpen }) => !isOpen).map(({ problem }) => problem);
    const isServing = (["udp", "tcp"] as const).every((name) =>
      open.some(({ transport }) => transport === name),
    );
    const missing = this.#missingKinds();
    return [
      {
        name: "sockets",
        isMet: isServing,
        reason: [`${open.length} of ${sockets.length} are open`, ...problems].join("; "),
      },
      {
        name: "state",
        isMet: missing.length === 0,
        reason:
          missing.length === 0
            ? "every kind is known, live or from the snapshot"
            : `never completely known: ${missing.join(", ")}`,
      },
    ];
  }

  sockets(): readonly SocketStatus[] {
    return this.#stages.server.status();
  }

  kinds(): readonly KindStatus[] {
    const { sync } = this.#stages;
    return KINDS.map((kind) => {
      const known = sync.kinds.find((report) => report.kind === kind);
      if (known === undefined) return unknownKind(kind);
      const { ageMs, ...rest } = known;
      return { ...rest, ageSeconds: ageMs === undefined ? undefined : ageMs / 1000 };
    });
  }

  table(): TableStatus {
    const { table } = this.#stages;
    return {
      namespaces: table.namespaces.count,
      services: table.serviceCount,
      endpoints: table.endpointCount,
      sizeBytes: table.sizeBytes,
    };
  }

  held(): readonly HeldList[] {
    return (this.#stages.sync.report?.held ?? []).map(({ ageMs, ...rest }) => ({
      ...rest,
      ageSeconds: ageMs / 1000,
    }));
  }

  rejections(): Rejections {
    const report = this.#stages.sync.report;
    return {
      byKind: new Map(KINDS.map((kind) => [kind, report?.rejectedByKind[kind] ?? 0])),
      latest: report?.latestRejections ?? [],
    };
  }

  snapshot(): SnapshotStatus {
    const report = this.#stages.sync.report?.snapshot;
    if (report === undefined) {
      return { ageSeconds: undefined, sizeBytes: 0, isLastWriteOk: undefined, problems: [] };
    }
    const { ageMs, ...rest } = report;
    return { ...rest, ageSeconds: ageMs === undefined ? undefined : ageMs / 1000 };
  }

  syncWorker(): SyncWorkerStatus {
    const { sync } = this.#stages;
    return {
      isRunning: sync.isRunning,
      restarts: sync.restarts,
      lastFailure: sync.lastFailure,
      deltaApplyMaxSeconds: sync.applyMaxMs / 1000,
    };
  }

  traffic(): Traffic {
    const { meters, responder } = this.#stages;
    return {
      udpRequests: meters.udpQueries,
      tcpRequests: meters.tcpQueries,
      responsesByRcode: meters.responsesByRcode,
      dropped: meters.udpDropped + meters.tcpDropped,
      failures: meters.failures,
      truncated: meters.udpTruncated,
      sendErrors: meters.udpSendErrors,
      sendQueueOverflows: meters.udpSendQueueOverflows,
      liveAnswers: responder.answers[ANSWERS_LIVE],
      staleAnswers: responder.answers[ANSWERS_STALE],
      extendedErrors: responder.extendedErrors,
      socketErrors: meters.socketErrors,
      tcpConnectionsOpen: meters.tcpConnectionsOpen,
      tcpConnectionsAccepted: meters.tcpConnectionsAccepted,
      tcpConnectionsRejected: meters.tcpConnectionsRejected,
      tcpConnectionsEvicted: meters.tcpConnectionsEvicted,
      tcpConnectionsTimedOut: meters.tcpConnectionsTimedOut,
      tcpConnectionsMalformed: meters.tcpConnectionsMalformed,
      tcpAcceptErrors: meters.tcpAcceptErrors,
    };
  }

  api(): ApiTraffic | undefined {
    const api = this.#stages.sync.report?.api;
    if (api === undefined) return undefined;
    return {
      requestsByOutcome: new Map(Object.entries(api.requestsByOutcome)),
      watchRestarts: api.watchRestarts,
    };
  }

  eventLoop(): EventLoopDelay {
    return this.#stages.loop.read();
  }

  #missingKinds(): Kind[] {
    const { completeMask } = this.#stages.table;
    if (completeMask === MASK_ALL) return [];
    return KINDS.filter((_, index) => (completeMask & (1 << index)) === 0);
  }
}

function unknownKind(kind: Kind): KindStatus {
  return {
    kind,
    state: "never",
    isComplete: false,
    ageSeconds: undefined,
    objects: 0,
    resourceVersion: "",
    reason: "the sync thread has not reported yet",
  };
}
