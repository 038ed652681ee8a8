import { constants } from "node:fs";
import { lstat, mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * The disk in single steps, so that a test can fail or crash each of them. Errors carry the `code` that Node gives
 * (`ENOSPC`, `EROFS`, ...). Paths are absolute.
 */
export interface Disk {
  /**
   * A whole file. Refused: a symbolic link (ELOOP), anything but a regular file (EINVAL), one larger than `maxBytes` (EFBIG),
   * and one that another user may have written (EPERM): what is read here is served to every pod of the node.
   */
  readFile(path: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer>>;
  /** A new file that only this user can read; EEXIST if there is anything at `path`, a dangling link included. */
  createFile(path: string): Promise<DiskFile>;
  /** Replaces `to`. On disk only after `syncDirectory`. */
  rename(from: string, to: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Of the link itself where `path` is one. */
  stat(path: string): Promise<DiskEntry>;
  /** Names in a directory, in no order. */
  list(path: string): Promise<readonly string[]>;
  /** Makes the directory and those above it, for this user only, on disk when it resolves; one that exists stays as it is. */
  makeDirectory(path: string): Promise<void>;
}

/** Opened for writing at its end. `close` is due after an error too. */
export interface DiskFile {
  /** Writes all of `bytes`. */
  write(bytes: Uint8Array): Promise<void>;
  /** After an error the content is unknown for good: a second `sync` that succeeds proves nothing. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface DiskEntry {
  readonly type: "file" | "directory" | "other";
  readonly sizeBytes: number;
  readonly modifiedWallMs: number;
  /** Differs between two files that exist at the same time. */
  readonly inode: number;
}

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
const WORLD_WRITABLE = 0o002;
const ROOT_UID = 0;

export const nodeDisk: Disk = {
  async readFile(path, maxBytes) {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      return await readTrusted(handle, path, maxBytes);
    } finally {
      await handle.close();
    }
  },
  async createFile(path) {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const handle = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
    return {
      // writeFile on a handle continues at its position and repeats short writes.
      write: (bytes) => handle.writeFile(bytes),
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  rename,
  async syncDirectory(path) {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  remove: unlink,
  async stat(path) {
    const stats = await lstat(path);
    const type = stats.isFile() ? "file" : stats.isDirectory() ? "directory" : "other";
    return { type, sizeBytes: stats.size, modifiedWallMs: stats.mtimeMs, inode: stats.ino };
  },
  list: (path) => readdir(path),
  async makeDirectory(path) {
    const firstMade = await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
    if (firstMade !== undefined) await nodeDisk.syncDirectory(dirname(firstMade));
  },
};

/** `code` of an error as Node's file functions give it; "UNKNOWN" for anything else. */
export function diskErrorCode(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "UNKNOWN";
}

/** An error as the disk gives it, for the checks that are ours. */
export class DiskError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.name = "DiskError";
    this.code = code;
  }
}

async function readTrusted(
  handle: FileHandle,
  path: string,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const stats = await handle.stat();
  if (!stats.isFile()) throw new DiskError("EINVAL", `${path} is not a regular file`);
  if (stats.size > maxBytes) {
    throw new DiskError("EFBIG", `${path} has ${stats.size} bytes; at most ${maxBytes} are read`);
  }
  const ownUid = process.getuid?.() ?? stats.uid;
  if (stats.uid !== ownUid && stats.uid !== ROOT_UID) {
    throw new DiskError(
      "EPERM",
      `${path} belongs to user ${stats.uid}; only files of user ${ownUid} or root are trusted`,
    );
  }
  if ((stats.mode & WORLD_WRITABLE) !== 0) {
    throw new DiskError("EPERM", `${path} can be written by every user and is not trusted`);
  }
  return readUpTo(handle, stats.size);
}

/** Exactly one allocation; a file that shrinks meanwhile gives what was there. */
async function readUpTo(handle: FileHandle, sizeBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(sizeBytes);
  let filled = 0;
  while (filled < sizeBytes) {
    const { bytesRead } = await handle.read(bytes, filled, sizeBytes - filled, null);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled === sizeBytes ? bytes : bytes.slice(0, filled);
}
