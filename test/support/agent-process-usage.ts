/** What a running program costs, children included: read from /proc, so Linux only. */
import { readdirSync, readFileSync } from "node:fs";

/** Kernel clock ticks per second as /proc reports them (USER_HZ, fixed at 100 on Linux). */
const TICKS_PER_SECOND = 100;

export interface Usage {
  /** User and system time since the start, in microseconds; steps of 10 ms. */
  readonly cpuMicros: number;
  readonly rssBytes: number;
  /** The highest resident size so far. */
  readonly peakRssBytes: number;
}

export function usageOf(pid: number): Usage {
  let cpuMicros = 0;
  let rssBytes = 0;
  let peakRssBytes = 0;
  for (const member of processTree(pid)) {
    const fields = statFields(member);
    cpuMicros += ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_PER_SECOND;
    const status = readFileSync(`/proc/${member}/status`, "utf8");
    rssBytes += kibibytes(status, "VmRSS") * 1024;
    peakRssBytes += kibibytes(status, "VmHWM") * 1024;
  }
  return { cpuMicros, rssBytes, peakRssBytes };
}

function kibibytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0);
}

/** The process and its descendants: a helper process must not make its parent look small. */
function processTree(root: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    try {
      parents.set(pid, Number(statFields(pid)[1]));
    } catch {
      // It ended between the listing and the reading.
    }
  }
  const tree = [root];
  for (const member of tree) {
    for (const [pid, parent] of parents) if (parent === member) tree.push(pid);
  }
  return tree;
}

/** Fields of /proc/PID/stat behind the command, which may hold spaces and parentheses: [0] is the state (proc(5)). */
function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
