import type { LogFields } from "../base/logger.ts";
import type { AgentConfig } from "../config/agent-config.ts";
import type { KindState } from "../model/feed.ts";
import type { Kind } from "../model/records.ts";

/** What the sync thread works with. */
export interface SyncWorkerData {
  readonly config: AgentConfig;
  readonly version: string;
  /** Not the first sync thread of this agent: the sockets are open. */
  readonly isServing: boolean;
  readonly isDnsThreadRaised: boolean;
  /** Where the credentials process's program is. */
  readonly credentialsWorkerFile: string;
}

/** From the sync thread to the DNS thread. */
export type SyncMessage =
  /** Changes for the answer table (`answers/delta.ts`); the buffer is transferred. Each is acknowledged. */
  | { readonly type: "delta"; readonly delta: Uint8Array<ArrayBuffer> }
  /** What the disk held is in the deltas before this message; or there was nothing. */
  | { readonly type: "restored"; readonly hasSnapshot: boolean }
  /** A line for the log. */
  | {
      readonly type: "log";
      readonly level: LogLevel;
      readonly component: string;
      readonly text: string;
      readonly fields: LogFields;
    }
  /** At least every `REPORT_INTERVAL_MS`: silence means that the thread hangs. */
  | { readonly type: "report"; readonly report: SyncReport };

export type LogLevel = "debug" | "info" | "warn" | "error";

/** From the DNS thread to the sync thread. */
export type SyncCommand =
  /** The first command: begin. */
  | { readonly type: "start"; readonly data: SyncWorkerData }
  /** One delta was applied: another may come. */
  | { readonly type: "applied" }
  /** Write what is unwritten, then end. */
  | { readonly type: "stop" };

export const REPORT_INTERVAL_MS = 1_000;

/** What operators may see of the sync thread: plain data, copied between the threads. */
export interface SyncReport {
  readonly kinds: readonly KindReport[];
  readonly held: readonly HoldReport[];
  readonly rejectedByKind: Readonly<Record<Kind, number>>;
  /** The last few, newest first. */
  readonly latestRejections: readonly { readonly where: string; readonly reason: string }[];
  readonly snapshot: SnapshotReport;
  /** By outcome; undefined where the source is not an API server. */
  readonly api:
    | { readonly requestsByOutcome: Readonly<Record<string, number>>; readonly watchRestarts: number }
    | undefined;
}

export interface KindReport {
  readonly kind: Kind;
  readonly state: KindState;
  readonly isComplete: boolean;
  /** Since what we hold was last in step with the source: 0 while live; undefined while it never was. */
  readonly ageMs: number | undefined;
  readonly objects: number;
  readonly resourceVersion: string;
  /** Why the state is not live; empty otherwise. */
  readonly reason: string;
}

export interface HoldReport {
  readonly policy: string;
  readonly feed: string;
  readonly reason: string;
  readonly ageMs: number;
}

export interface SnapshotReport {
  /** Of the newest generation on disk; undefined where there is none. */
  readonly ageMs: number | undefined;
  readonly sizeBytes: number;
  /** Undefined before the first attempt. */
  readonly isLastWriteOk: boolean | undefined;
  readonly problems: readonly string[];
}
