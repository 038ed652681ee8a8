/**
 * `npm run bench`: the agent and CoreDNS side by side, in one run, on the same 10,000 Services of one real API server.
 *
 * It prints figures with the goal beside each and judges nothing. `--only cpu,rss` runs some sections, `--json FILE` keeps the
 * figures. A whole run takes about ten minutes, and the machine should do nothing else.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { circumstances, printCircumstances, printFigures } from "./bench-report.ts";
import { BenchRun, type Figure } from "./bench-run.ts";
import { cpuSection } from "./cpu-section.ts";
import { freshnessSection } from "./freshness-section.ts";
import { latencySection } from "./latency-section.ts";
import { headlessRssSection, rssSection } from "./rss-section.ts";
import { stallSection } from "./stall-section.ts";
import { startupSection } from "./startup-section.ts";

/** In this order: memory first, before the cluster has its slices; the one that leaves the cluster larger last. */
const SECTIONS: Readonly<Record<string, (run: BenchRun) => Promise<Figure[]>>> = {
  rss: rssSection,
  cpu: cpuSection,
  latency: latencySection,
  freshness: freshnessSection,
  startup: startupSection,
  stall: stallSection,
  "rss-headless": headlessRssSection,
};
const RESPOND = "respond";
const RESPOND_BENCH = fileURLToPath(new URL("respond.bench.ts", import.meta.url));

const { values } = parseArgs({ options: { only: { type: "string" }, json: { type: "string" } } });
const known = [RESPOND, ...Object.keys(SECTIONS)];
const chosen = values.only?.split(",") ?? known;
const unknown = chosen.find((name) => !known.includes(name));
if (unknown !== undefined) {
  console.error(
    `bench: --only does not know "${unknown}"; accepted are ${known.join(", ")}, separated by commas`,
  );
  process.exit(2);
}

const given = await circumstances();
printCircumstances(given);
if (given.dnsperf === "unknown") {
  console.error("bench: dnsperf is not installed (Debian package dnsperf, or run scripts/install-tools.sh)");
  process.exit(1);
}
if (chosen.includes(RESPOND) && existsSync(RESPOND_BENCH)) {
  console.log("respond() alone; goal >= 1.5 M/s, 0 bytes per query");
  spawnSync(process.execPath, ["--expose-gc", RESPOND_BENCH], { stdio: "inherit" });
}
const names = Object.keys(SECTIONS).filter((name) => chosen.includes(name));
const figures: Record<string, Figure[]> = {};
if (names.length > 0) {
  const run = await BenchRun.open();
  try {
    for (const name of names) {
      figures[name] = await SECTIONS[name](run);
      printFigures(name, figures[name]);
    }
  } finally {
    await run.close();
  }
}
if (values.json !== undefined)
  await writeFile(values.json, `${JSON.stringify({ circumstances: given, figures }, undefined, 2)}\n`);
