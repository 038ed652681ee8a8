import { createHash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { diskErrorCode } from "../base/disk.ts";
import type { Disk } from "../base/disk.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import { CURRENT_FILE, isSameFile, PREVIOUS_FILE, SnapshotFiles } from "./snapshot-files.ts";
import type { FileStamp, Generation } from "./snapshot-files.ts";
import { decodeSnapshot, encodeSnapshot } from "./snapshot-format.ts";
import type { DecodedSnapshot, Digest } from "./snapshot-format.ts";
import { isAhead } from "./snapshot-order.ts";
import type { ClusterIdentity, Snapshot } from "./snapshot.ts";

/** Refused beyond this, in both directions; 10,000 Services with 150,000 endpoints take 5 MB. */
const MAX_SNAPSHOT_BYTES = 256 * 1024 * 1024;
/** The previous generation is replaced when it is older than this, so that it is not just the last second's twin. */
const PREVIOUS_MIN_AGE_MS = 10 * 60_000;
/** How long a file of another agent that is ahead of ours is left alone; then its writer is gone, or the versions went back. */
const OTHER_WRITER_PATIENCE_MS = 60_000;
const TOKEN_RANGE = 2 ** 40;

export interface LoadedSnapshot {
  readonly snapshot: Snapshot | undefined;
  /** Which file it came from. */
  readonly generation: "current" | "previous" | "none";
  /** What was wrong on the way, one line each, for people. */
  readonly problems: readonly string[];
}

export type SaveResult =
  | { readonly outcome: "saved"; readonly sizeBytes: number }
  /** Another agent on this node wrote a later state; ours was not written. */
  | { readonly outcome: "superseded" }
  /** The disk keeps what it had. */
  | { readonly outcome: "failed"; readonly problem: string };

/** Snapshots on disk: two generations, of which at least one is valid at every moment. No method throws or rejects. */
export interface SnapshotStore {
  /**
   * The newest snapshot that is whole and of our cluster. Files that are damaged, of a later format or of another cluster are
   * set aside under a new name.
   *
   * @param accept  Whether this identity is the configured cluster's.
   */
  load(accept: (identity: ClusterIdentity) => boolean | Promise<boolean>): Promise<LoadedSnapshot>;
  /** On disk, directory included, when it resolves with "saved". One call at a time. */
  save(snapshot: Snapshot): Promise<SaveResult>;
  /** Moves both generations out of the way, for a reason that only showed later. */
  setAside(reason: string): Promise<void>;
}

export interface SnapshotStoreOptions {
  readonly disk: Disk;
  /** Absolute; made if it is missing. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** For the header. */
  readonly agentVersion: string;
}

export function createSnapshotStore(options: SnapshotStoreOptions): SnapshotStore {
  return new DiskSnapshotStore(options);
}

type FileContent =
  | { readonly outcome: "missing" }
  | { readonly outcome: "unreadable"; readonly reason: string }
  | DecodedSnapshot;

class DiskSnapshotStore implements SnapshotStore {
  readonly #options: SnapshotStoreOptions;
  readonly #files: SnapshotFiles;
  /** The current file as we wrote or read it: known to be valid, and ours to replace. */
  #known: FileStamp | undefined;
  /** A current file of another agent, and since when (monotonic) it is there. */
  #foreign: { readonly stamp: FileStamp; readonly sinceMs: number } | undefined;

  constructor(options: SnapshotStoreOptions) {
    this.#options = options;
    const token = Math.floor(options.random() * TOKEN_RANGE).toString(36);
    this.#files = new SnapshotFiles(options.disk, options.directory, token);
  }

  async load(accept: (identity: ClusterIdentity) => boolean | Promise<boolean>): Promise<LoadedSnapshot> {
    const { clock, disk, directory } = this.#options;
    const problems: string[] = [];
    await this.#attempt(problems, "cannot prepare the data directory", async () => {
      await disk.makeDirectory(directory);
      await this.#files.removeStaleTemporaries(clock.wallMs());
    });
    for (const generation of [CURRENT_FILE, PREVIOUS_FILE] as const) {
      const stamp = await this.#stamp(generation);
      const snapshot = await this.#loadGeneration(generation, accept, problems);
      if (snapshot === undefined) continue;
      if (generation === CURRENT_FILE) this.#known = stamp;
      return { snapshot, generation: generation === CURRENT_FILE ? "current" : "previous", problems };
    }
    return { snapshot: undefined, generation: "none", problems };
  }

  async save(snapshot: Snapshot): Promise<SaveResult> {
    const { disk, directory, agentVersion, clock } = this.#options;
    const chunks = encodeSnapshot(snapshot, agentVersion, sha256);
    const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (sizeBytes > MAX_SNAPSHOT_BYTES) {
      return {
        outcome: "failed",
        problem: `it has ${sizeBytes} bytes; at most ${MAX_SNAPSHOT_BYTES} are kept`,
      };
    }
    const temporary = this.#files.temporaryPath();
    try {
      await disk.makeDirectory(directory);
      if (await this.#isSuperseded(snapshot)) return { outcome: "superseded" };
      await this.#writeFile(temporary, chunks);
      const written = await disk.stat(temporary);
      await this.#rotate();
      await disk.rename(temporary, this.#files.path(CURRENT_FILE));
      this.#known = written;
      await disk.syncDirectory(directory);
      return { outcome: "saved", sizeBytes };
    } catch (error) {
      await disk.remove(temporary).catch(ignore);
      await this.#files.removeStaleTemporaries(clock.wallMs()).catch(ignore);
      return { outcome: "failed", problem: describe(error) };
    }
  }

  async setAside(reason: string): Promise<void> {
    this.#known = undefined;
    for (const generation of [CURRENT_FILE, PREVIOUS_FILE] as const) {
      if ((await this.#read(generation)).outcome === "missing") continue;
      await this.#setGenerationAside(generation, "refused", reason, []);
    }
  }

  async #loadGeneration(
    generation: Generation,
    accept: (identity: ClusterIdentity) => boolean | Promise<boolean>,
    problems: string[],
  ): Promise<Snapshot | undefined> {
    const content = await this.#read(generation);
    if (content.outcome === "snapshot") {
      return (await this.#isAccepted(generation, content.snapshot, accept, problems))
        ? content.snapshot
        : undefined;
    }
    if (content.outcome === "unreadable")
      this.#report(problems, `${generation} cannot be read: ${content.reason}`);
    else if (content.outcome !== "missing") {
      await this.#setGenerationAside(generation, content.outcome, content.reason, problems);
    }
    return undefined;
  }

  async #isAccepted(
    generation: Generation,
    { identity }: Snapshot,
    accept: (identity: ClusterIdentity) => boolean | Promise<boolean>,
    problems: string[],
  ): Promise<boolean> {
    try {
      if (await accept(identity)) return true;
    } catch (error) {
      this.#report(problems, `${generation} is not used: its cluster cannot be checked: ${describe(error)}`);
      return false;
    }
    const reason = `it belongs to another cluster: its CA is ${identity.caFingerprint}, its kube-system UID ${identity.clusterUid}`;
    await this.#setGenerationAside(generation, "foreign", reason, problems);
    return false;
  }

  async #setGenerationAside(
    generation: Generation,
    label: string,
    reason: string,
    problems: string[],
  ): Promise<void> {
    this.#report(problems, `${generation} is not used: ${reason}`);
    await this.#attempt(problems, `${generation} cannot be set aside`, async () => {
      const name = await this.#files.setAside(generation, label, this.#options.clock.wallMs());
      this.#options.log.warn("snapshot set aside", { file: generation, name });
    });
  }

  async #read(generation: Generation): Promise<FileContent> {
    try {
      const bytes = await this.#options.disk.readFile(this.#files.path(generation), MAX_SNAPSHOT_BYTES);
      return decodeSnapshot(bytes, sha256, this.#options.agentVersion);
    } catch (error) {
      return diskErrorCode(error) === "ENOENT"
        ? { outcome: "missing" }
        : { outcome: "unreadable", reason: describe(error) };
    }
  }

  /** After this, `#known` is the current file if and only if that is valid. */
  async #isSuperseded(snapshot: Snapshot): Promise<boolean> {
    const stamp = await this.#stamp(CURRENT_FILE);
    if (stamp === undefined) this.#known = undefined;
    if (stamp === undefined || isSameFile(stamp, this.#known)) return false;
    this.#known = undefined;
    if (!isSameFile(stamp, this.#foreign?.stamp)) {
      this.#foreign = { stamp, sinceMs: this.#options.clock.nowMs() };
    }
    const ageMs = this.#options.clock.nowMs() - (this.#foreign?.sinceMs ?? 0);
    const content = await this.#read(CURRENT_FILE);
    if (content.outcome === "snapshot") {
      if (isAhead(content.snapshot, snapshot) && ageMs < OTHER_WRITER_PATIENCE_MS) return true;
      this.#known = stamp;
      return false;
    }
    // A later version of the agent is being rolled out next to this one: its file is worth more than ours.
    return content.outcome === "newer" && ageMs < OTHER_WRITER_PATIENCE_MS;
  }

  /**
   * Between this rename and the next one there is no current file, and the previous one is the state of the last save: a
   * crash here loses nothing.
   */
  async #rotate(): Promise<void> {
    if (this.#known === undefined) return;
    const previous = await this.#files.stat(PREVIOUS_FILE);
    const ageMs = previous === undefined ? Infinity : this.#options.clock.wallMs() - previous.modifiedWallMs;
    if (Math.abs(ageMs) < PREVIOUS_MIN_AGE_MS) return;
    await this.#options.disk.rename(this.#files.path(CURRENT_FILE), this.#files.path(PREVIOUS_FILE));
    this.#known = undefined;
  }

  async #writeFile(path: string, chunks: readonly Uint8Array[]): Promise<void> {
    const file = await this.#options.disk.createFile(path);
    try {
      for (const chunk of chunks) await file.write(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async #stamp(generation: Generation): Promise<FileStamp | undefined> {
    return this.#files.stat(generation).catch(() => undefined);
  }

  async #attempt(problems: string[], what: string, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#report(problems, `${what}: ${describe(error)}`);
    }
  }

  #report(problems: string[], problem: string): void {
    problems.push(problem);
    this.#options.log.error("snapshot problem", { directory: this.#options.directory, problem });
  }
}

const sha256: Digest = (chunks) => {
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest();
};

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function ignore(): void {}
