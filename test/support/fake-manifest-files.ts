import type { ManifestFiles, ManifestListing } from "../../src/sources/manifests/manifest-files.ts";

/** A directory in memory. `put` is not announced: a test that wants an event says so with `announce`. */
export class FakeManifestFiles implements ManifestFiles {
  /** Set to let every `list` fail. */
  listError: Error | undefined;
  directoryId = "1";
  watchers = 0;
  /** Set to let `watch` fail. */
  watchError: Error | undefined;
  reads = 0;
  readonly #files = new Map<string, { text: string | Error; version: number }>();
  #versions = 0;
  #onChange: (() => void) | undefined;

  put(name: string, text: string | Error): void {
    this.#files.set(name, { text, version: ++this.#versions });
  }

  remove(name: string): void {
    this.#files.delete(name);
  }

  announce(): void {
    this.#onChange?.();
  }

  async list(): Promise<ManifestListing> {
    if (this.listError !== undefined) throw this.listError;
    const files = [...this.#files].sort(([left], [right]) => (left < right ? -1 : 1));
    return {
      directoryId: this.directoryId,
      files: files.map(([name, { version }]) => ({ name, stamp: String(version) })),
    };
  }

  async read(path: string): Promise<string> {
    this.reads++;
    const file = this.#files.get(path.slice(path.lastIndexOf("/") + 1));
    if (file === undefined) throw new Error("ENOENT: no such file");
    if (file.text instanceof Error) throw file.text;
    return file.text;
  }

  watch(_directory: string, onChange: () => void): { close(): void } {
    if (this.watchError !== undefined) throw this.watchError;
    this.watchers++;
    this.#onChange = onChange;
    return {
      close: () => {
        this.watchers--;
      },
    };
  }
}
