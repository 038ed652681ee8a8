import type { Clock } from "../base/clock.ts";
import type { Guard } from "../guard/guard.ts";
import { kindOfFeed } from "../model/feed.ts";
import type { Model } from "../model/model.ts";
import { KINDS, type Kind } from "../model/records.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { SnapshotWriter } from "../snapshot/snapshot-writer.ts";
import type { KindStates } from "../sources/kind-states.ts";
import type { KindReport, SnapshotReport, SyncReport } from "./messages.ts";
import type { ModelSink } from "./model-sink.ts";
import type { SourceDriver } from "./source-driver.ts";

export interface ReportInputs {
  readonly model: Model;
  readonly states: KindStates;
  readonly sink: ModelSink;
  readonly guard: Guard | undefined;
  readonly writer: SnapshotWriter;
  readonly restored: Snapshot | undefined;
  readonly snapshotProblems: readonly string[];
  readonly driver: SourceDriver;
  readonly clock: Clock;
}

/** Puts together what the stages say of themselves. */
export function composeReport(inputs: ReportInputs): SyncReport {
  const { guard, sink, clock } = inputs;
  const nowMs = clock.nowMs();
  return {
    kinds: KINDS.map((kind) => kindReport(kind, inputs)),
    held: (guard?.holds() ?? []).map(({ policy, feed, reason, sinceMs }) => ({
      policy,
      feed,
      reason,
      ageMs: nowMs - sinceMs,
    })),
    rejectedByKind: { ...sink.rejectedByKind },
    latestRejections: [...sink.latestRejections],
    snapshot: snapshotReport(inputs),
    api: inputs.driver.traffic(),
  };
}

function kindReport(kind: Kind, { model, states, sink, driver, restored, clock }: ReportInputs): KindReport {
  const feeds = driver.feeds.filter((feed) => kindOfFeed(feed) === kind);
  // Before the first contact, what we hold whole is as old as the snapshot says, by the wall clock.
  const restoredAgeMs =
    restored === undefined || !states.isComplete(kind)
      ? undefined
      : Math.max(0, clock.wallMs() - restored.writtenAtWallMs);
  return {
    kind,
    state: states.state(kind),
    isComplete: states.isComplete(kind),
    ageMs: states.ageMs(kind) ?? restoredAgeMs,
    objects: model.count(kind),
    resourceVersion: feeds
      .map((feed) => sink.progress(feed)?.resourceVersion ?? "")
      .join(" ")
      .trim(),
    reason: states.reason(kind),
  };
}

function snapshotReport({ writer, restored, snapshotProblems, clock }: ReportInputs): SnapshotReport {
  const { problem, lastSavedMs, lastSizeBytes } = writer.state;
  const restoredAgeMs =
    restored === undefined ? undefined : Math.max(0, clock.wallMs() - restored.writtenAtWallMs);
  const isLastWriteOk = problem === undefined ? (lastSavedMs === undefined ? undefined : true) : false;
  return {
    ageMs: lastSavedMs === undefined ? restoredAgeMs : clock.nowMs() - lastSavedMs,
    sizeBytes: lastSizeBytes,
    isLastWriteOk,
    problems:
      problem === undefined ? snapshotProblems : [...snapshotProblems, `it cannot be written: ${problem}`],
  };
}
