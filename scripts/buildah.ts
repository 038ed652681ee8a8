/**
 * Images built without a Docker engine, a registry and a network: buildah, in a store of its own that is gone afterwards, makes an
 * OCI archive. The archive is kept under the digest of all that went into it, so that building the same again takes no time.
 */
import { spawn } from "node:child_process";
import { createHash, type Hash } from "node:crypto";
import {
  constants,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { AssetsUnavailable } from "./build-assets.ts";

/** Archives that nobody asked for in this time are removed: each change of the sources leaves one. */
const KEEP_ARCHIVE_MS = 3600 * 1000;
/** Works on every file system, also where overlays are not to be had; these images are small. */
const STORAGE_DRIVER = "vfs";
export const REMEDY = "run scripts/install-tools.sh";

export interface ArchiveRequest {
  /** Name and tag of the image, as in `localhost/holdfast:0.1.0`. */
  readonly reference: string;
  /** Everything that decides the content. */
  readonly key: ImageKey;
  /** Where the archive is wanted besides the cache. */
  readonly output?: string;
  /** Builds the image under the reference. */
  readonly build: (buildah: Buildah) => Promise<void>;
  readonly report: (line: string) => void;
}

/** @returns The path of the OCI archive: `output`, or the one in the cache. */
export async function provideArchive(request: ArchiveRequest): Promise<string> {
  const { reference, output } = request;
  const name = reference.replaceAll(/[^\w.-]/g, "_");
  const cached = join(cacheDirectory(), `${name}-${request.key.update(reference).digest()}.oci.tar`);
  if (await exists(cached)) await utimes(cached, new Date(), new Date());
  else await buildArchive(request, cached);
  await removeForgotten(name);
  if (output === undefined) return cached;
  await copyFile(cached, output, constants.COPYFILE_FICLONE);
  return output;
}

async function buildArchive({ reference, build, report }: ArchiveRequest, archive: string): Promise<void> {
  const started = performance.now();
  report(`building the image ${reference}`);
  await mkdir(dirname(archive), { recursive: true });
  // Renamed only when whole, as two may build the same.
  const partial = `${archive}.partial-${process.pid}`;
  const buildah = await Buildah.open();
  try {
    await build(buildah);
    await buildah.save(reference, partial);
    await rename(partial, archive);
  } finally {
    await buildah.close();
    await rm(partial, { force: true });
  }
  report(`built the image ${reference} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

function cacheDirectory(): string {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "holdfast", "images");
}

async function removeForgotten(name: string): Promise<void> {
  const directory = cacheDirectory();
  for (const file of await readdir(directory)) {
    const path = join(directory, file);
    if (!file.startsWith(`${name}-`)) continue;
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > KEEP_ARCHIVE_MS) await rm(path, { force: true });
  }
}

/** The digest of what an image is made of. */
export class ImageKey {
  readonly #hash: Hash = createHash("sha256");

  update(text: string): this {
    this.#hash.update(JSON.stringify(text));
    return this;
  }

  /** Path and content of files, and of the files below directories. */
  async addFiles(root: string, paths: readonly string[]): Promise<this> {
    for (const path of paths) {
      for (const file of await filesBelow(join(root, path)))
        this.update(relative(root, file)).update((await readFile(file)).toString("base64"));
    }
    return this;
  }

  /** Programs and libraries of the machine, by what changes with them: reading 120 MB would take longer than all the rest. */
  async addInstalled(paths: readonly string[]): Promise<this> {
    for (const path of paths) {
      const { size, mtimeMs } = await stat(path);
      this.update(`${path} ${size} ${mtimeMs}`);
    }
    return this;
  }

  digest(): string {
    return this.#hash.copy().digest("hex").slice(0, 16);
  }
}

async function filesBelow(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** @throws {AssetsUnavailable} No image can be built here: we are not root, or there is no buildah. */
export async function requireBuildah(): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new AssetsUnavailable(
      "an image needs root: it has files of several owners, and one with a capability",
    );
  await runTool("buildah", ["--version"]);
}

/** Images in a store that lives as long as this object. */
export class Buildah {
  readonly #store: string;

  private constructor(store: string) {
    this.#store = store;
  }

  static async open(): Promise<Buildah> {
    return new Buildah(await mkdtemp(join(tmpdir(), "holdfast-buildah-")));
  }

  /** An empty directory that is gone with the store. */
  async scratchDirectory(): Promise<string> {
    return mkdtemp(join(this.#store, "scratch-"));
  }

  /** An image with the files of a directory and nothing else, for a FROM of another. */
  async fromDirectory(reference: string, directory: string): Promise<void> {
    const containerfile = join(await this.scratchDirectory(), "Containerfile");
    await writeFile(containerfile, "FROM scratch\nCOPY . /\n");
    await this.build({ reference, containerfile, context: directory });
  }

  /**
   * @param image `buildArguments` are those of ARG; `contexts` are directories in place of stages, by name; `timestampSeconds` is given to
   *   the image and to all files made for it.
   */
  async build(image: {
    readonly reference: string;
    readonly containerfile: string;
    readonly context: string;
    readonly buildArguments?: Readonly<Record<string, string>>;
    readonly contexts?: Readonly<Record<string, string>>;
    readonly timestampSeconds?: number;
  }): Promise<void> {
    const values = Object.entries(image.buildArguments ?? {});
    const contexts = Object.entries(image.contexts ?? {});
    await this.#run([
      "build",
      "--isolation=chroot",
      "--pull-never",
      `--timestamp=${image.timestampSeconds ?? 0}`,
      ...values.map(([name, value]) => `--build-arg=${name}=${value}`),
      ...contexts.map(([name, directory]) => `--build-context=${name}=${directory}`),
      `--tag=${image.reference}`,
      `--file=${image.containerfile}`,
      image.context,
    ]);
  }

  /** Writes an OCI archive that imports under the reference. */
  async save(reference: string, file: string): Promise<void> {
    await this.#run(["push", "--quiet", reference, `oci-archive:${file}:${reference}`]);
  }

  async close(): Promise<void> {
    await rm(this.#store, { recursive: true, force: true });
  }

  async #run(args: readonly string[]): Promise<void> {
    const store = [`--root=${join(this.#store, "root")}`, `--runroot=${join(this.#store, "run")}`];
    await runTool("buildah", [`--storage-driver=${STORAGE_DRIVER}`, ...store, ...args]);
  }
}

/**
 * Runs a program that building an image needs.
 *
 * @returns What it wrote to its standard output.
 * @throws {AssetsUnavailable} It is not installed.
 */
export async function runTool(program: string, args: readonly string[]): Promise<string> {
  // A user's PATH may lack the directories of system programs.
  const path = [process.env["PATH"] ?? "", "/usr/sbin", "/sbin"].join(delimiter);
  const child = spawn(program, args, {
    env: { ...process.env, PATH: path, LC_ALL: "C" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let problems = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (problems += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  }).catch((error: unknown) => {
    throw new AssetsUnavailable(`an image needs ${program}, which is not installed: ${REMEDY}`, {
      cause: error,
    });
  });
  if (code !== 0)
    throw new Error(`${program} ${args.join(" ")} failed with ${code}:\n${(output + problems).slice(-4000)}`);
  return output;
}

/**
 * The shared libraries that programs are linked to, the loader included.
 *
 * @returns Absolute paths, as the programs look for them.
 */
export async function sharedLibraries(programs: readonly string[]): Promise<string[]> {
  const libraries = new Set<string>();
  for (const program of programs) {
    const output = await runTool("ldd", [program]);
    // "libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x7f…)", and without an arrow for the loader.
    for (const [, path] of output.matchAll(/(?:^\s*|=> )(\/\S+) \(0x/gm)) libraries.add(path);
  }
  return [...libraries].sort();
}

/** Copies files of the machine to the same paths below a directory; a link becomes what it leads to. */
export async function copyInstalled(paths: readonly string[], rootfs: string): Promise<void> {
  for (const path of paths) {
    await mkdir(join(rootfs, dirname(path)), { recursive: true });
    await copyFile(path, join(rootfs, path), constants.COPYFILE_FICLONE);
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
