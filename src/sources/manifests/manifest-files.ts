import { watch } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** Files of a directory, as the manifest source needs them; links are followed. Errors carry Node's `code`. */
export interface ManifestFiles {
  list(directory: string): Promise<ManifestListing>;
  /** The text of a file, as UTF-8. */
  read(path: string): Promise<string>;
  /**
   * Calls `onChange` when something in the directory may have changed: at least once, perhaps more often, perhaps for
   * nothing. `onError`: it will not be called again.
   */
  watch(directory: string, onChange: () => void, onError: (error: Error) => void): { close(): void };
}

export interface ManifestListing {
  /** Differs when another directory took the place of the one listed before. */
  readonly directoryId: string;
  /** In order of their names. */
  readonly files: readonly ManifestFile[];
}

export interface ManifestFile {
  readonly name: string;
  /** Differs when the content may differ. */
  readonly stamp: string;
}

/** Larger files are not read. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
/** Hidden names are those of editors, and `..data` of a ConfigMap volume, whose swap shows in the links beside it. */
const MANIFEST_NAME = /^[^.].*\.(?:ya?ml|json)$/i;

export const nodeManifestFiles: ManifestFiles = {
  async list(directory) {
    const { dev, ino } = await stat(directory);
    const names = (await readdir(directory)).filter((name) => MANIFEST_NAME.test(name));
    const files: ManifestFile[] = [];
    for (const name of names.sort()) {
      const stamp = await stampOf(join(directory, name));
      if (stamp !== undefined) files.push({ name, stamp });
    }
    return { directoryId: `${dev}:${ino}`, files };
  },
  async read(path) {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES)
      throw new RangeError(`it has ${size} bytes; at most ${MAX_FILE_BYTES} are read`);
    return readFile(path, "utf8");
  },
  watch(directory, onChange, onError) {
    const watcher = watch(directory, { persistent: false }, onChange);
    watcher.on("error", onError);
    return watcher;
  },
};

/** Undefined for what is no file; a file that cannot be looked at gets a stamp that says so, and fails when it is read. */
async function stampOf(path: string): Promise<string | undefined> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? `${stats.ino}:${stats.size}:${stats.mtimeMs}:${stats.ctimeMs}` : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
