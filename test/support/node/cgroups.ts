import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { waitUntil } from "../control-plane-process.ts";

const REMOVAL_TIMEOUT_MS = 10_000;
/** What a kubelet limits pods with. */
const CONTROLLERS = ["cpu", "cpuset", "memory", "pids"];

/** Makes the cgroup under which a kubelet puts its pods (`cgroupRoot`), apart from everything else on this machine. */
export async function createCgroup(name: string): Promise<void> {
  for (const { type, path } of await hierarchies()) {
    if (type === "cgroup2") await delegateControllers(path);
    await mkdir(join(path, name));
  }
}

/** Waits until the processes in it are gone; those that do not end are an error. Idempotent. */
export async function removeCgroup(name: string): Promise<void> {
  for (const { path } of await hierarchies()) {
    const directory = join(path, name);
    const isRemoved = () => removeTree(directory).then(() => true as const);
    await waitUntil(`${directory} removed`, isRemoved, { timeoutMs: REMOVAL_TIMEOUT_MS });
  }
}

interface Hierarchy {
  readonly type: "cgroup" | "cgroup2";
  readonly path: string;
}

/** One with cgroup v2; one for each controller with v1, where a v2 one without controllers may stand beside them. */
async function hierarchies(): Promise<Hierarchy[]> {
  const lines = (await readFile("/proc/mounts", "utf8")).split("\n").map((line) => line.split(" "));
  const found = lines
    .filter(([, path, type]) => path?.startsWith("/sys/fs/cgroup") && type?.startsWith("cgroup"))
    .map(([, path, type]) => ({ type, path }) as Hierarchy);
  return found;
}

/** With v2, a cgroup has the controllers that its parent passes on. In the hybrid layout of v1 there is none to pass on. */
async function delegateControllers(path: string): Promise<void> {
  const available = (await readFile(join(path, "cgroup.controllers"), "utf8")).trim().split(" ");
  const wanted = CONTROLLERS.filter((controller) => available.includes(controller));
  const added = wanted.map((controller) => `+${controller}`).join(" ");
  if (added !== "") await writeFile(join(path, "cgroup.subtree_control"), added);
}

/** Only `rmdir`: the files of a cgroup go with it. */
async function removeTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return;
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(directory, entry.name));
  await rmdir(directory);
}
