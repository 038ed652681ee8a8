import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { provideAssets } from "../../scripts/build-assets.ts";
import type { Figure } from "./bench-run.ts";
import { mebibytes } from "./statistics.ts";

/** Everything needed to judge the figures or to measure them again. */
export interface Circumstances {
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  readonly commit: string;
  readonly coredns: string;
  readonly kubernetes: string;
  readonly dnsperf: string;
  readonly command: string;
}

export async function circumstances(): Promise<Circumstances> {
  const paths = await provideAssets(["coredns", "kube-apiserver"], (line) => console.log(`# ${line}`));
  const cores = cpus();
  const gibibytes = (mebibytes(totalmem()) / 1024).toFixed(0);
  const dirty = output("git", ["status", "--porcelain"]) === "" ? "" : " with uncommitted changes";
  return {
    date: new Date().toISOString(),
    machine: `${cores.length} x ${cores[0].model.trim()}, ${gibibytes} GiB, Linux ${release()}, load ${loadAverage()}`,
    node: process.version,
    commit: `${output("git", ["rev-parse", "--short", "HEAD"])}${dirty}`,
    coredns: output(paths.coredns, ["-version"]).replaceAll("\n", " "),
    kubernetes: output(paths["kube-apiserver"], ["--version"]),
    dnsperf: /Version ([\d.]+)/.exec(output("dnsperf", ["-h"]))?.[1] ?? "unknown",
    command: `npm run bench -- ${process.argv.slice(2).join(" ")}`,
  };
}

export function printCircumstances(given: Circumstances): void {
  for (const [name, value] of Object.entries(given)) console.log(`${name.padEnd(12)}${value}`);
  console.log("");
}

/** A table of fixed columns; `ratio` is ours over CoreDNS's. */
export function printFigures(title: string, figures: readonly Figure[]): void {
  const rows = figures.map(({ name, unit, holdfast, coredns, goal }) => {
    const ratio = holdfast === undefined || coredns === undefined ? "" : (holdfast / coredns).toFixed(2);
    return [`${name} [${unit}]`, shown(holdfast), shown(coredns), ratio, goal];
  });
  const table = [[title, "holdfast", "CoreDNS", "ratio", "goal"], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  for (const row of table) {
    const cells = row.map((cell, column) => {
      return column > 0 && column < 4 ? cell.padStart(widths[column]) : cell.padEnd(widths[column]);
    });
    console.log(cells.join("  ").trimEnd());
  }
  console.log("");
}

function shown(value: number | undefined): string {
  if (value === undefined) return "-";
  return value >= 1000 ? value.toFixed(0) : value.toFixed(2);
}

function loadAverage(): string {
  return readFileSync("/proc/loadavg", "utf8").split(" ")[0];
}

/** Both streams: some programs print their version on the wrong one, or end with 1 after their help. */
function output(file: string, args: readonly string[]): string {
  try {
    return execFileSync(file, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    return stdout === "" && stderr === "" ? "unknown" : `${stdout}${stderr}`.trim();
  }
}
