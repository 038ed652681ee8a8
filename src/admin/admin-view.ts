import type { SocketAddress } from "../base/socket-address.ts";
import type { AgentConfig } from "../config/agent-config.ts";
import type { KindState } from "../model/feed.ts";
import type { Kind } from "../model/records.ts";

/**
 * What operators may see of a running agent: plain data, read when somebody asks.
 *
 * The composition root implements it over the stages; the status page, the probes and the metrics know nothing else of
 * them. Every function is cheap, never throws and never waits: the probes must answer when the rest is in trouble.
 */
export interface AdminView {
  readonly version: string;
  readonly config: AgentConfig;
  /** Milliseconds since 1970 at the start of the process. */
  readonly startedAtWallMs: number;
  uptimeSeconds(): number;
  /** `/healthz`: the process and its DNS loop. What is false here is cured by a restart, and by nothing else. */
  health(): readonly Condition[];
  /** `/readyz`: sockets are open and there is something to answer from. A lost API server changes nothing here (I5). */
  readiness(): readonly Condition[];
  sockets(): readonly SocketStatus[];
  kinds(): readonly KindStatus[];
  table(): TableStatus;
  /** Lists that the guard keeps from the model; empty as a rule. */
  held(): readonly HeldList[];
  rejections(): Rejections;
  snapshot(): SnapshotStatus;
  syncWorker(): SyncWorkerStatus;
  traffic(): Traffic;
  /** Undefined where the source is not an API server. */
  api(): ApiTraffic | undefined;
  eventLoop(): EventLoopDelay;
}

export interface Condition {
  /** Kebab-case, fixed: alerts match on it. */
  readonly name: string;
  readonly isMet: boolean;
  /** One line for people; also said when the condition is met. */
  readonly reason: string;
}

export interface SocketStatus {
  readonly transport: "udp" | "tcp";
  readonly address: SocketAddress;
  readonly isOpen: boolean;
  /** Why it is not open; empty otherwise. */
  readonly problem: string;
}

export interface KindStatus {
  readonly kind: Kind;
  readonly state: KindState;
  /** Every object of the kind was known at some time: names may be denied (I2). */
  readonly isComplete: boolean;
  /** Since what we hold was last in step with the source: 0 while live, undefined while it never was. */
  readonly ageSeconds: number | undefined;
  readonly objects: number;
  /** Opaque; empty for manifests and before the first list. */
  readonly resourceVersion: string;
  /** Why the state is not live, in one line; empty otherwise. */
  readonly reason: string;
}

export interface TableStatus {
  readonly namespaces: number;
  readonly services: number;
  readonly endpoints: number;
  readonly sizeBytes: number;
}

export interface HeldList {
  /** Kebab-case name of the guard's policy. */
  readonly policy: string;
  readonly feed: string;
  readonly reason: string;
  readonly ageSeconds: number;
}

export interface Rejections {
  readonly byKind: ReadonlyMap<Kind, number>;
  /** The last few, newest first. */
  readonly latest: readonly { readonly where: string; readonly reason: string }[];
}

export interface SnapshotStatus {
  /** Of the newest generation on disk; undefined where there is none. */
  readonly ageSeconds: number | undefined;
  readonly sizeBytes: number;
  /** Undefined before the first attempt. */
  readonly isLastWriteOk: boolean | undefined;
  /** What is wrong with the snapshot or its directory now, one line each. */
  readonly problems: readonly string[];
}

export interface SyncWorkerStatus {
  readonly isRunning: boolean;
  readonly restarts: number;
  /** Why it last ended; empty where it never did. */
  readonly lastFailure: string;
  /** The longest that one delta kept the DNS loop. */
  readonly deltaApplyMaxSeconds: number;
}

/** Counts since the start. */
export interface Traffic {
  readonly udpRequests: number;
  readonly tcpRequests: number;
  /** Index: the (extended) RCODE. */
  readonly responsesByRcode: ArrayLike<number>;
  /** Queries that no reply is due to. */
  readonly dropped: number;
  /** Queries that got no response because of an error of ours. */
  readonly failures: number;
  readonly truncated: number;
  /** Responses over UDP that the kernel refused, and those given up because too many waited for the network. */
  readonly sendErrors: number;
  readonly sendQueueOverflows: number;
  /** Answers and denials from our zones: from data in step with its source, and from data that is not. */
  readonly liveAnswers: number;
  readonly staleAnswers: number;
  /** Index: the INFO-CODE of RFC 8914. */
  readonly extendedErrors: ArrayLike<number>;
  /** Listening sockets that broke and were opened again. */
  readonly socketErrors: number;
  readonly tcpConnectionsOpen: number;
  readonly tcpConnectionsAccepted: number;
  readonly tcpConnectionsRejected: number;
  /** Closed by us: idle while a new one needed the place, idle for too long, or with a message that is no DNS. */
  readonly tcpConnectionsEvicted: number;
  readonly tcpConnectionsTimedOut: number;
  readonly tcpConnectionsMalformed: number;
  /** Connections that the kernel could not hand over. */
  readonly tcpAcceptErrors: number;
}

/** Counts since the start. */
export interface ApiTraffic {
  /** By outcome: a short fixed set such as `ok`, `gone`, `unauthorized`, `unreachable`. */
  readonly requestsByOutcome: ReadonlyMap<string, number>;
  readonly watchRestarts: number;
}

/** How late the timers of the DNS thread were, over the last one to two minutes. */
export interface EventLoopDelay {
  readonly maxSeconds: number;
  readonly p99Seconds: number;
}
