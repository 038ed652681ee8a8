/**
 * Builds the image of the Dockerfile from this checkout, without a Docker engine, a registry and a network: with buildah, its programs from
 * dist, Node.js from npm, and a base made of the libraries of this machine. Everything behind the stage `parts` of the Dockerfile
 * is built as it stands there.
 *
 * usage: build-image.ts [--tag NAME:TAG] [--output FILE.tar]
 *
 * Prints the path of an OCI archive, for `ctr -n k8s.io images import` or `skopeo copy oci-archive:FILE ...`.
 */
import { execFileSync } from "node:child_process";
import { chmod, copyFile, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import packageJson from "../package.json" with { type: "json" };
import { AssetsUnavailable } from "./build-assets.ts";
import {
  copyInstalled,
  ImageKey,
  REMEDY,
  requireBuildah,
  provideArchive,
  runTool,
  sharedLibraries,
  type Buildah,
} from "./buildah.ts";

const ROOT = join(import.meta.dirname, "..");
export const NODE = join(ROOT, "node_modules/node/bin/node");
const BASE = "localhost/holdfast-base:1";
/** The user that the image runs as. */
const NONROOT = 65532;
const CA_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";

export const DEFAULT_TAG = `localhost/holdfast:${packageJson.version}`;

/**
 * The image of the agent, from the programs in dist, which are built first if they are older than the sources.
 *
 * @param image `tag` is a name with a tag; `output` a file for the archive besides the one in the cache; `report` is called with one
 *   line per step that takes time.
 * @returns The path of an OCI archive.
 * @throws {AssetsUnavailable} Something that is needed is not installed, or we are not root.
 */
export async function buildImage({
  tag = DEFAULT_TAG,
  output,
  report,
}: {
  readonly tag?: string;
  readonly output?: string;
  readonly report: (line: string) => void;
}): Promise<string> {
  await requireBuildah();
  execFileSync(process.execPath, [join(ROOT, "scripts/build.ts"), "--if-stale"], { stdio: "inherit" });
  const libraries = await sharedLibraries([await nodeOfNpm()]);
  const key = new ImageKey().update(`${timestampSeconds()} ${process.arch}`);
  await key.addFiles(ROOT, ["Dockerfile", "image", "bin", "package.json", "LICENSE", "examples/manifests"]);
  await key.addFiles(ROOT, await programs());
  await key.addFiles(import.meta.dirname, ["build-image.ts", "buildah.ts"]);
  await key.addInstalled([NODE, await busybox(), ...libraries]);
  const build = async (buildah: Buildah) => {
    await buildah.fromDirectory(BASE, await stageBase(buildah, libraries));
    await buildah.build({
      reference: tag,
      containerfile: join(ROOT, "Dockerfile"),
      context: ROOT,
      buildArguments: { BASE_IMAGE: BASE, VERSION: packageJson.version },
      contexts: { parts: await stageParts(buildah) },
      timestampSeconds: timestampSeconds(),
    });
  };
  return provideArchive({ reference: tag, key, build, report, ...(output !== undefined && { output }) });
}

/**
 * What distroless' `cc` gives: libraries, names of users, CA certificates, a /tmp.
 *
 * @returns A directory that is gone when `buildah` is closed.
 */
export async function stageBase(buildah: Buildah, libraries: readonly string[]): Promise<string> {
  const rootfs = await buildah.scratchDirectory();
  await chmod(rootfs, 0o755);
  await copyInstalled(libraries, rootfs);
  await mkdir(join(rootfs, "tmp"));
  await chmod(join(rootfs, "tmp"), 0o1777);
  await mkdir(join(rootfs, "etc/ssl/certs"), { recursive: true });
  await writeFile(
    join(rootfs, "etc/passwd"),
    `root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:${NONROOT}:${NONROOT}:nonroot:/home/nonroot:/sbin/nologin\n`,
  );
  await writeFile(join(rootfs, "etc/group"), `root:x:0:\nnonroot:x:${NONROOT}:\n`);
  await writeFile(join(rootfs, "etc/nsswitch.conf"), "hosts: files dns\n");
  // Some machines have none, and the agent needs none: it brings the CA of its cluster.
  await copyFile(CA_CERTIFICATES, join(rootfs, CA_CERTIFICATES)).catch(() => undefined);
  return rootfs;
}

/** A directory with what the stage `parts` of the Dockerfile leaves, in whose place it is used. */
async function stageParts(buildah: Buildah): Promise<string> {
  const directory = await buildah.scratchDirectory();
  const rootfs = join(directory, "rootfs");
  await mkdir(join(rootfs, "nodejs/bin"), { recursive: true });
  await copyFile(NODE, join(rootfs, "nodejs/bin/node"));
  await runTool("sh", [join(ROOT, "image/assemble.sh"), rootfs]);
  return directory;
}

async function programs(): Promise<string[]> {
  const files = await readdir(join(ROOT, "dist"));
  return files
    .filter((file) => file.endsWith(".cjs"))
    .map((file) => join("dist", file))
    .sort();
}

async function nodeOfNpm(): Promise<string> {
  const isThere = await stat(NODE).then(
    () => true,
    () => false,
  );
  if (!isThere) throw new AssetsUnavailable(`${NODE} is missing; run \`npm ci\` with install scripts on`);
  return NODE;
}

/** The one for the image, linked statically: it has no libraries there that it could rely on. */
async function busybox(): Promise<string> {
  const path = (await runTool("sh", ["-c", "command -v busybox || true"])).trim();
  const linking = path === "" ? "" : await runTool("sh", ["-c", `ldd "${path}" 2>&1 || true`]);
  if (linking.includes("not a dynamic executable")) return path;
  throw new AssetsUnavailable(`an image needs a busybox that is linked statically: ${REMEDY}`);
}

/** The convention of reproducible builds: https://reproducible-builds.org/specs/source-date-epoch/ */
function timestampSeconds(): number {
  return Number(process.env["SOURCE_DATE_EPOCH"] ?? 0);
}

if (import.meta.main) {
  try {
    const { values } = parseArgs({ options: { tag: { type: "string" }, output: { type: "string" } } });
    console.log(await buildImage({ ...values, report: (line) => console.error(line) }));
  } catch (error) {
    console.error(`build-image: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = error instanceof TypeError ? 2 : 1;
  }
}
