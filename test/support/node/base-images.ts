/** The images that every node has. They are made here, as no registry is asked, and kept beside the programs. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { assetCacheDirectory } from "../../../scripts/build-assets.ts";
import { buildImageArchive } from "./image-archive.ts";
import { PAUSE_IMAGE } from "./node-files.ts";
import { busyboxPath } from "./node-requirements.ts";
import { runToSuccess } from "./run-command.ts";

const PAUSE_SOURCE = fileURLToPath(new URL("pause.c", import.meta.url));
export const BUSYBOX_IMAGE = "localhost/busybox:1";

interface BaseImage {
  readonly reference: string;
  readonly containerfile: string;
  /** With the Containerfile, it decides the content. */
  readonly source: string;
  /** Puts into the context what the Containerfile copies. */
  prepare(source: string, context: string): Promise<unknown>;
}

/**
 * OCI archives of the pause image, a busybox and CoreDNS.
 *
 * @param report Called with one line per image that has to be made.
 */
export async function provideBaseImages(
  coredns: string,
  report: (line: string) => void,
): Promise<readonly string[]> {
  const archives: string[] = [];
  for (const image of baseImages(coredns)) archives.push(await provideArchive(image, report));
  return archives;
}

function baseImages(coredns: string): BaseImage[] {
  return [
    {
      reference: PAUSE_IMAGE,
      containerfile: 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n',
      source: PAUSE_SOURCE,
      prepare: (source, context) =>
        runToSuccess("musl-gcc", ["-static", "-O2", "-o", join(context, "pause"), source]),
    },
    {
      reference: BUSYBOX_IMAGE,
      containerfile: 'FROM scratch\nCOPY bin /bin\nCMD ["/bin/sleep", "1000000"]\n',
      source: busyboxPath(),
      prepare: prepareBusybox,
    },
    {
      reference: "localhost/coredns:1",
      containerfile: 'FROM scratch\nCOPY coredns /coredns\nENTRYPOINT ["/coredns"]\n',
      source: coredns,
      prepare: (source, context) => copyFile(source, join(context, "coredns")),
    },
  ];
}

async function prepareBusybox(source: string, context: string): Promise<void> {
  const directory = join(context, "bin");
  await mkdir(directory);
  await copyFile(source, join(directory, "busybox"));
  const applets = (await runToSuccess(source, ["--list"])).trim().split("\n");
  for (const applet of applets) {
    if (applet !== "busybox") await symlink("busybox", join(directory, applet));
  }
}

async function provideArchive(image: BaseImage, report: (line: string) => void): Promise<string> {
  const directory = join(assetCacheDirectory(), "images");
  const name = image.reference.replaceAll(/[^a-z0-9]+/g, "-");
  const archive = join(directory, `${name}-${await contentDigest(image)}.tar`);
  const isKept = await stat(archive).then(
    () => true,
    () => false,
  );
  if (isKept) return archive;
  report(`building the image ${image.reference}`);
  await mkdir(directory, { recursive: true });
  const context = await mkdtemp(join(tmpdir(), "holdfast-image-"));
  try {
    await image.prepare(image.source, context);
    await writeFile(join(context, "Containerfile"), image.containerfile);
    await buildImageArchive({ reference: image.reference, context, archive });
  } finally {
    await rm(context, { recursive: true, force: true });
  }
  return archive;
}

async function contentDigest({ containerfile, source }: BaseImage): Promise<string> {
  const digest = createHash("sha256").update(containerfile);
  await pipeline(createReadStream(source), digest);
  return digest.digest("hex").slice(0, 16);
}
