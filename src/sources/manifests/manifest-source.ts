import { join } from "node:path";
import type { Clock, Timer } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { FactSink, FeedStatus, Source } from "../source.ts";
import type { ManifestFile, ManifestFiles, ManifestListing } from "./manifest-files.ts";
import { parseManifest } from "./manifest-parser.ts";
import { MANIFEST_FEEDS, ManifestSet } from "./manifest-set.ts";

/** Editors and `cp` touch a file more than once. */
const GATHER_MS = 50;
/** A file is read once it stayed the same for this long: half a file may be valid YAML. */
const SETTLE_MS = 100;
/** For what no event tells: files behind links, network file systems, a directory that was replaced. */
const POLL_MS = 700;
/** Looking takes at most one part in 51 of the time, whatever the number of files. */
const REST_PER_SCAN = 50;
/** A file that turned blank is being written, as by `kubectl get -o yaml > file`; after this long it is meant. */
const BLANK_HOLD_MS = 10_000;

/** No resourceVersion and no cluster: nothing to resume from, nothing to compare. */
const ORIGIN = { resourceVersion: "", clusterUid: "" };

export interface ManifestSourceIo {
  readonly clock: Clock;
  readonly log: Logger;
  readonly files: ManifestFiles;
}

/**
 * Services, EndpointSlices and Namespaces from the files of a directory (`*.yaml`, `*.yml`, `*.json`; not below it).
 *
 * What people write by hand has mistakes, so a mistake costs as little as possible: an object, a document or a file that
 * cannot be read keeps what it said before, and everything else counts. An empty directory is a statement: put no guard
 * against empty lists behind this source. A directory that is missing is none: what was known stays.
 *
 * @param options.directory  Absolute; may appear later.
 */
export function createManifestSource(
  options: { directory: string },
  io: ManifestSourceIo,
  sink: FactSink,
): Source {
  return new ManifestSource(options.directory, io, sink);
}

class ManifestSource implements Source {
  readonly #directory: string;
  readonly #io: ManifestSourceIo;
  readonly #sink: FactSink;
  readonly #set = new ManifestSet();
  /** Stamps of the files that were read, and of all as they were listed last. */
  readonly #readStamps = new Map<string, string>();
  #listedStamps = new Map<string, string>();
  readonly #blankSinceMs = new Map<string, number>();
  /** The set has changes that the sink does not. True from the start: an empty directory must be reported too. */
  #isUnreported = true;
  #isFirstScan = true;
  #isScanning = false;
  #isChangedMeanwhile = false;
  #isStopped = false;
  #status = "";
  #notBeforeMs = -Infinity;
  #timer: { readonly timer: Timer; readonly dueMs: number } | undefined;
  #watcher: { readonly directoryId: string; close(): void } | undefined;

  constructor(directory: string, io: ManifestSourceIo, sink: FactSink) {
    this.#directory = directory;
    this.#io = io;
    this.#sink = sink;
  }

  start(): void {
    this.#report({ phase: "listing" });
    this.#scanIn(0);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  /** The earlier of this and what is set already. */
  #scanIn(delayMs: number): void {
    const dueMs = this.#io.clock.nowMs() + delayMs;
    if (this.#isStopped || (this.#timer !== undefined && this.#timer.dueMs <= dueMs)) return;
    this.#timer?.timer.cancel();
    this.#timer = { dueMs, timer: this.#io.clock.setTimer(delayMs, () => void this.#scanAndContinue()) };
  }

  async #scanAndContinue(): Promise<void> {
    this.#timer = undefined;
    this.#isScanning = true;
    const startMs = this.#io.clock.nowMs();
    let isSettled = true;
    try {
      isSettled = await this.#scan();
    } catch (error) {
      this.#fail(error);
    }
    this.#isScanning = false;
    if (this.#isStopped) return;
    const restMs = Math.max(POLL_MS, REST_PER_SCAN * (this.#io.clock.nowMs() - startMs));
    this.#scanIn(isSettled ? restMs : SETTLE_MS);
    if (this.#isChangedMeanwhile) this.#scanIn(GATHER_MS);
    this.#isChangedMeanwhile = false;
  }

  /** Returns whether no file is in the middle of a change. */
  async #scan(): Promise<boolean> {
    const listing = await this.#io.files.list(this.#directory);
    if (this.#isStopped) return true;
    this.#watch(listing);
    this.#forgetMissing(listing);
    let isSettled = true;
    for (const file of listing.files) {
      if (this.#readStamps.get(file.name) === file.stamp) continue;
      if (this.#isFirstScan || this.#listedStamps.get(file.name) === file.stamp) await this.#read(file);
      else isSettled = false;
      if (this.#isStopped) return true;
    }
    this.#listedStamps = new Map(listing.files.map(({ name, stamp }) => [name, stamp]));
    this.#isFirstScan = false;
    this.#publish();
    return isSettled;
  }

  #forgetMissing({ files }: ManifestListing): void {
    const present = new Set(files.map(({ name }) => name));
    for (const name of this.#readStamps.keys()) {
      if (present.has(name)) continue;
      this.#set.remove(name);
      this.#readStamps.delete(name);
      this.#blankSinceMs.delete(name);
      this.#isUnreported = true;
    }
  }

  async #read({ name, stamp }: ManifestFile): Promise<void> {
    let text: string;
    try {
      text = await this.#io.files.read(join(this.#directory, name));
    } catch (error) {
      if (this.#isStopped) return;
      this.#readStamps.set(name, stamp);
      this.#sink.rejected(
        "services",
        name,
        `the file cannot be read, what it said before stays: ${describe(error)}`,
      );
      return;
    }
    if (this.#isStopped || this.#isBeingWritten(name, text)) return;
    const parsed = await parseManifest(name, text);
    if (this.#isStopped) return;
    this.#readStamps.set(name, stamp);
    for (const { feed, where, reason } of this.#set.put(name, parsed))
      this.#sink.rejected(feed, where, reason);
    this.#isUnreported = true;
  }

  /** A blank file that had objects is looked at again with every scan, until it is blank for good. */
  #isBeingWritten(name: string, text: string): boolean {
    if (text.trim() !== "" || !this.#set.hasObjects(name)) {
      this.#blankSinceMs.delete(name);
      return false;
    }
    const nowMs = this.#io.clock.nowMs();
    const sinceMs = this.#blankSinceMs.get(name) ?? nowMs;
    this.#blankSinceMs.set(name, sinceMs);
    return nowMs - sinceMs < BLANK_HOLD_MS;
  }

  #publish(): void {
    if (this.#isUnreported && this.#io.clock.nowMs() >= this.#notBeforeMs) {
      const { batches, duplicates } = this.#set.build();
      for (const { feed, where, reason } of duplicates) this.#sink.rejected(feed, where, reason);
      for (const feed of MANIFEST_FEEDS) {
        const verdict = this.#sink.replace(feed, batches[feed], ORIGIN);
        if (verdict.outcome === "accepted") continue;
        this.#notBeforeMs = this.#io.clock.nowMs() + verdict.retryAfterMs;
        this.#report({ phase: "down", reason: verdict.reason });
        return;
      }
      this.#isUnreported = false;
    }
    if (!this.#isUnreported) this.#report({ phase: "live" });
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return;
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#report({
      phase: "down",
      reason: `manifests in ${this.#directory} cannot be read: ${describe(error)}`,
    });
  }

  /** Only what is new. */
  #report(status: FeedStatus): void {
    const text = JSON.stringify(status);
    if (text === this.#status) return;
    this.#status = text;
    if (status.phase === "down") this.#io.log.warn("manifests are not in step", { reason: status.reason });
    for (const feed of MANIFEST_FEEDS) this.#sink.status(feed, status);
  }

  #watch({ directoryId }: ManifestListing): void {
    if (this.#watcher?.directoryId === directoryId) return;
    this.#watcher?.close();
    this.#watcher = undefined;
    try {
      const watcher = this.#io.files.watch(
        this.#directory,
        () => this.#changed(),
        (error) => this.#unwatched(error),
      );
      this.#watcher = { directoryId, close: () => watcher.close() };
    } catch (error) {
      this.#unwatched(error);
    }
  }

  /** Polling goes on; the next scan tries again. */
  #unwatched(error: unknown): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#io.log.debug("manifests are polled", { directory: this.#directory, error });
  }

  #changed(): void {
    if (this.#isScanning) this.#isChangedMeanwhile = true;
    else this.#scanIn(GATHER_MS);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
