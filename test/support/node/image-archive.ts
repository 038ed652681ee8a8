import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runToSuccess } from "./run-command.ts";

export interface ImageBuild {
  /** As pods name it: `localhost/NAME:TAG`. */
  readonly reference: string;
  /** A directory with a `Containerfile`. Its base is `scratch`: no registry is asked. */
  readonly context: string;
  /** The OCI archive that is written: whole, or not at all. */
  readonly archive: string;
}

/** Builds an image with buildah. Nothing but the archive stays: the storage is a temporary one. */
export async function buildImageArchive({ reference, context, archive }: ImageBuild): Promise<void> {
  const storage = await mkdtemp(join(tmpdir(), "holdfast-images-"));
  const partial = `${archive}.partial-${process.pid}`;
  const options = [
    "--storage-driver=vfs",
    `--root=${join(storage, "root")}`,
    `--runroot=${join(storage, "run")}`,
  ];
  try {
    const file = `--file=${join(context, "Containerfile")}`;
    // The same content gives the same image, whenever it is built.
    const build = [
      "build",
      "--isolation=chroot",
      "--pull-never",
      "--timestamp=0",
      `--tag=${reference}`,
      file,
    ];
    await runToSuccess("buildah", [...options, ...build, context]);
    await runToSuccess("buildah", [...options, "push", reference, `oci-archive:${partial}:${reference}`]);
    await rename(partial, archive);
  } finally {
    await rm(partial, { force: true });
    await rm(storage, { recursive: true, force: true });
  }
}
