import { diskErrorCode } from "../base/disk.ts";
import type { Disk, DiskEntry } from "../base/disk.ts";

/** Names in the data directory. Everything that begins with `snapshot.` is ours. */
export const CURRENT_FILE = "snapshot.current";
export const PREVIOUS_FILE = "snapshot.previous";
const ASIDE_PREFIX = "snapshot.aside-";
const TEMPORARY_PREFIX = "snapshot.tmp-";

const MAX_ASIDE_FILES = 3;
/** No write takes longer: an older temporary file was left by a process that died. */
const MAX_TEMPORARY_AGE_MS = 10 * 60_000;
/** Two agents share the directory during a rolling update; more temporary files than theirs are left-overs of a crash loop. */
const MAX_FOREIGN_TEMPORARIES = 2;

export type Generation = typeof CURRENT_FILE | typeof PREVIOUS_FILE;

/** Enough to notice that somebody replaced a file. */
export interface FileStamp {
  readonly inode: number;
  readonly sizeBytes: number;
  readonly modifiedWallMs: number;
}

export function isSameFile(left: FileStamp | undefined, right: FileStamp | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return (
    left.inode === right.inode &&
    left.sizeBytes === right.sizeBytes &&
    left.modifiedWallMs === right.modifiedWallMs
  );
}

/** The files around the two generations: temporary ones, and those that were set aside. */
export class SnapshotFiles {
  readonly #disk: Disk;
  readonly #directory: string;
  /** Tells our temporary files from those of others; process ids are all 1 in containers. */
  readonly #token: string;
  #temporaries = 0;

  constructor(disk: Disk, directory: string, token: string) {
    this.#disk = disk;
    this.#directory = directory;
    this.#token = token;
  }

  path(name: string): string {
    return `${this.#directory}/${name}`;
  }

  temporaryPath(): string {
    return this.path(`${TEMPORARY_PREFIX}${this.#token}-${this.#temporaries++}`);
  }

  /** Undefined if there is nothing. */
  async stat(name: string): Promise<DiskEntry | undefined> {
    try {
      return await this.#disk.stat(this.path(name));
    } catch (error) {
      if (diskErrorCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  /**
   * Gives a file a name under which it is kept for people, and drops the oldest of those.
   * @param label  Why, in one word of the file's name.
   */
  async setAside(generation: Generation, label: string, wallMs: number): Promise<string> {
    const name = `${ASIDE_PREFIX}${Math.trunc(wallMs)}-${generation.slice("snapshot.".length)}-${label}`;
    await this.#disk.rename(this.path(generation), this.path(name));
    await this.#disk.syncDirectory(this.#directory);
    const names = (await this.#disk.list(this.#directory)).filter((other) => other.startsWith(ASIDE_PREFIX));
    names.sort((left, right) => timeInName(right) - timeInName(left));
    for (const oldest of names.slice(MAX_ASIDE_FILES)) await this.#disk.remove(this.path(oldest));
    return name;
  }

  /** Removes what processes that died while writing left behind. */
  async removeStaleTemporaries(wallMs: number): Promise<void> {
    const own = `${TEMPORARY_PREFIX}${this.#token}-`;
    const found: { name: string; modifiedWallMs: number }[] = [];
    for (const name of await this.#disk.list(this.#directory)) {
      if (!name.startsWith(TEMPORARY_PREFIX) || name.startsWith(own)) continue;
      const entry = await this.stat(name);
      if (entry !== undefined) found.push({ name, modifiedWallMs: entry.modifiedWallMs });
    }
    found.sort((left, right) => right.modifiedWallMs - left.modifiedWallMs);
    for (const [index, { name, modifiedWallMs }] of found.entries()) {
      // In both directions: the clock may have been set back.
      const isOld = Math.abs(wallMs - modifiedWallMs) > MAX_TEMPORARY_AGE_MS;
      if (isOld || index >= MAX_FOREIGN_TEMPORARIES) await this.#disk.remove(this.path(name));
    }
  }
}

function timeInName(name: string): number {
  return Number.parseInt(name.slice(ASIDE_PREFIX.length), 10);
}
