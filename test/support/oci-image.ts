import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { runToSuccess } from "./node/run-command.ts";

/** What the OCI image specification 1.1 calls an image configuration, as far as tests look at it. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
  readonly StopSignal: string;
}

export interface UnpackedImage {
  readonly config: ImageConfig;
  /** The file system of a container, with owners, modes and capabilities. */
  readonly rootfs: string;
  /** What a node pulls. */
  readonly compressedBytes: number;
}

interface Descriptor {
  readonly digest: string;
  readonly size: number;
}

/** Unpacks an OCI archive into an empty directory, which then has `blobs`, `rootfs` and so on. Needs root. */
export async function unpackImage(archive: string, directory: string): Promise<UnpackedImage> {
  const rootfs = join(directory, "rootfs");
  await mkdir(rootfs);
  await runToSuccess("tar", ["-xf", archive, "-C", directory]);
  const blob = ({ digest }: Descriptor) => join(directory, "blobs", digest.replace(":", "/"));
  const index = await readJson<{ manifests: Descriptor[] }>(join(directory, "index.json"));
  const manifest = await readJson<{ config: Descriptor; layers: Descriptor[] }>(blob(index.manifests[0]));
  const { config } = await readJson<{ config: ImageConfig }>(blob(manifest.config));
  // Nothing in these images removes a file of a lower layer, so there are no whiteouts to apply.
  const keep = ["--xattrs", "--xattrs-include=*", "--same-owner", "--same-permissions"];
  for (const layer of manifest.layers)
    await runToSuccess("tar", ["-xzf", blob(layer), "-C", rootfs, ...keep]);
  return { config, rootfs, compressedBytes: manifest.layers.reduce((sum, { size }) => sum + size, 0) };
}

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, "utf8")) as T;
}
