import { DiskError } from "../../src/base/disk.ts";
import type { Disk, DiskEntry, DiskFile } from "../../src/base/disk.ts";
import type { Random } from "../../src/base/random.ts";

interface Inode {
  readonly number: number;
  readonly type: "file" | "other";
  /** What a reader sees now. */
  content: Uint8Array<ArrayBuffer>;
  /** What is left after a crash, at least. */
  syncedBytes: number;
  modifiedWallMs: number;
}

/** A change to directories that a crash may still undo. `undefined` stands for "no entry". */
type PendingChange = ReadonlyMap<string, Inode | undefined>;

type Fault =
  | { readonly type: "error"; readonly at: number; readonly code: string; readonly isLasting: boolean }
  | { readonly type: "crash"; readonly at: number };

/**
 * A disk in memory that forgets like a real one: content that was not synced may be lost or torn by a crash, and new or renamed
 * entries may be lost until their directory is synced, each on its own. Every call is one operation, which can be made to
 * fail or to be the last before a crash.
 */
export class FakeDisk implements Disk {
  readonly #now: () => number;
  #entries = new Map<string, Inode>();
  #durable = new Map<string, Inode>();
  #pending: PendingChange[] = [];
  readonly #directories = new Set<string>();
  #inodes = 0;
  #operations = 0;
  #fault: Fault | undefined;
  #isDown = false;
  #openFiles = 0;

  /** @param wallMs  For modification times. */
  constructor(wallMs: () => number) {
    this.#now = wallMs;
  }

  /** Operations so far. */
  get operations(): number {
    return this.#operations;
  }

  /** Files that were opened and not closed. */
  get openFiles(): number {
    return this.#openFiles;
  }

  /** Paths of everything there is, sorted. */
  get paths(): string[] {
    return [...this.#entries.keys()].sort();
  }

  /** Lets the n-th operation from now fail; the first is 1. A write that fails leaves half of its bytes. */
  failOperation(n: number, code: string): void {
    this.#fault = { type: "error", at: this.#operations + n, code, isLasting: false };
  }

  /** Lets every changing operation fail until `heal`, as on a full or read-only disk. */
  failFromNow(code: string): void {
    this.#fault = { type: "error", at: this.#operations + 1, code, isLasting: true };
  }

  heal(): void {
    this.#fault = undefined;
  }

  /** The n-th operation from now never returns well: the machine stops in the middle of it. `restart` brings it back. */
  crashAtOperation(n: number): void {
    this.#fault = { type: "crash", at: this.#operations + n };
  }

  /** What a machine finds after a power cut: synced content, and of the rest what `random` decides. */
  restart(random: Random): void {
    for (const change of this.#pending) if (random() < 0.5) this.#makeDurable(change);
    this.#entries = new Map(this.#durable);
    for (const inode of this.#entries.values()) {
      const torn = Math.floor(random() * (inode.content.length - inode.syncedBytes + 1));
      inode.content = inode.content.slice(0, inode.syncedBytes + torn);
      inode.syncedBytes = inode.content.length;
    }
    this.#pending = [];
    this.#fault = undefined;
    this.#isDown = false;
    this.#openFiles = 0;
  }

  /** A file as another process would have left it, on disk. */
  put(path: string, content: Uint8Array): void {
    this.#putInode(path, this.#newInode("file", Uint8Array.from(content)));
  }

  putSymbolicLink(path: string): void {
    this.#putInode(path, this.#newInode("other", new Uint8Array()));
  }

  /** Content as a reader sees it; undefined if there is none. */
  content(path: string): Uint8Array<ArrayBuffer> | undefined {
    return this.#entries.get(path)?.content;
  }

  async readFile(path: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    this.#operate("read");
    const inode = this.#inode(path);
    if (inode.type === "other") throw new DiskError("ELOOP", `${path} is a symbolic link`);
    if (inode.content.length > maxBytes) throw new DiskError("EFBIG", `${path} is too large`);
    return inode.content.slice();
  }

  async createFile(path: string): Promise<DiskFile> {
    this.#operate("change");
    if (this.#entries.has(path)) throw new DiskError("EEXIST", `${path} exists`);
    const inode = this.#newInode("file", new Uint8Array());
    this.#change(new Map([[path, inode]]));
    this.#openFiles++;
    return {
      write: async (bytes) => this.#write(inode, bytes),
      sync: async () => {
        this.#operate("change");
        inode.syncedBytes = inode.content.length;
      },
      close: async () => {
        this.#openFiles--;
        this.#operate("change");
      },
    };
  }

  async rename(from: string, to: string): Promise<void> {
    this.#operate("change");
    const inode = this.#inode(from);
    this.#change(
      new Map([
        [from, undefined],
        [to, inode],
      ]),
    );
  }

  async syncDirectory(path: string): Promise<void> {
    this.#operate("change");
    const isInside = (change: PendingChange): boolean =>
      [...change.keys()].every((entry) => isIn(entry, path));
    for (const change of this.#pending.filter(isInside)) this.#makeDurable(change);
    this.#pending = this.#pending.filter((change) => !isInside(change));
  }

  async remove(path: string): Promise<void> {
    this.#operate("change");
    this.#inode(path);
    this.#change(new Map([[path, undefined]]));
  }

  async stat(path: string): Promise<DiskEntry> {
    this.#operate("read");
    const { type, content, modifiedWallMs, number } = this.#inode(path);
    return { type, sizeBytes: content.length, modifiedWallMs, inode: number };
  }

  async list(path: string): Promise<readonly string[]> {
    this.#operate("read");
    if (!this.#directories.has(path)) throw new DiskError("ENOENT", `${path} does not exist`);
    return this.paths.filter((entry) => isIn(entry, path)).map((entry) => entry.slice(path.length + 1));
  }

  async makeDirectory(path: string): Promise<void> {
    if (this.#directories.has(path)) this.#operate("read");
    else this.#operate("change");
    this.#directories.add(path);
  }

  #write(inode: Inode, bytes: Uint8Array): void {
    try {
      this.#operate("change");
    } catch (error) {
      append(inode, bytes.subarray(0, bytes.length >> 1));
      throw error;
    }
    append(inode, bytes);
    inode.modifiedWallMs = this.#now();
  }

  /** Counts the operation; throws where it is to fail. */
  #operate(kind: "read" | "change"): void {
    this.#operations++;
    if (this.#isDown) throw new DiskError("ECRASHED", "the machine is off");
    const fault = this.#fault;
    if (fault === undefined || this.#operations < fault.at) return;
    if (fault.type === "crash") {
      this.#isDown = true;
      throw new DiskError("ECRASHED", "the machine is off");
    }
    if (fault.isLasting ? kind === "change" : this.#operations === fault.at) {
      throw new DiskError(fault.code, "made to fail");
    }
  }

  #inode(path: string): Inode {
    const inode = this.#entries.get(path);
    if (inode === undefined) throw new DiskError("ENOENT", `${path} does not exist`);
    return inode;
  }

  #newInode(type: Inode["type"], content: Uint8Array<ArrayBuffer>): Inode {
    return { number: ++this.#inodes, type, content, syncedBytes: 0, modifiedWallMs: this.#now() };
  }

  #putInode(path: string, inode: Inode): void {
    inode.syncedBytes = inode.content.length;
    this.#directories.add(path.slice(0, path.lastIndexOf("/")));
    this.#entries.set(path, inode);
    this.#durable.set(path, inode);
  }

  #change(change: PendingChange): void {
    apply(change, this.#entries);
    this.#pending.push(change);
  }

  #makeDurable(change: PendingChange): void {
    apply(change, this.#durable);
  }
}

function apply(change: PendingChange, entries: Map<string, Inode>): void {
  for (const [path, inode] of change) {
    if (inode === undefined) entries.delete(path);
    else entries.set(path, inode);
  }
}

function append(inode: Inode, bytes: Uint8Array): void {
  const content = new Uint8Array(inode.content.length + bytes.length);
  content.set(inode.content);
  content.set(bytes, inode.content.length);
  inode.content = content;
}

function isIn(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`) && !path.slice(directory.length + 1).includes("/");
}
