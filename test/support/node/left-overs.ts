import { readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { removeCgroup } from "./cgroups.ts";

const PREFIX = "holdfast-node-";

/** For `mkdtemp`: the name says whose the directory is. */
export function nodeDirectoryPrefix(ownerPid: number): string {
  return join(tmpdir(), `${PREFIX}${ownerPid}-`);
}

/**
 * Removes what nodes of killed test processes have left: their namespaces end by themselves, but files and cgroups stay.
 *
 * @param report Called with one line for each node.
 */
export async function removeLeftOvers(report: (line: string) => void): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(PREFIX));
  for (const name of names) {
    const owner = Number.parseInt(name.slice(PREFIX.length));
    if (isAlive(owner)) continue;
    report(`removing what is left of a node of process ${owner}`);
    await removeNodeFiles(join(tmpdir(), name));
  }
}

/** Removes the directory of a node on which nothing runs, and the cgroup that has its name. */
export async function removeNodeFiles(directory: string): Promise<void> {
  // The directory goes last: it is what tells of a cgroup that is left.
  await removeCgroup(basename(directory));
  await rm(directory, { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
