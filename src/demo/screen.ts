import { styleText } from "node:util";
import type { SocketAddress } from "../base/socket-address.ts";
import { formatSocketAddress } from "../config/addresses.ts";
import { CHANGING_SERVICE } from "./churn.ts";
import type { DrillReport } from "./outage-drill.ts";
import type { SampleCluster } from "./sample-cluster.ts";
import { ZONE } from "./sample-cluster.ts";

/** What the demo shows. Every command on it can be copied into a shell in the checkout and does what is said beside it. */

const DEFAULT_LISTEN = "127.0.0.1:5353";

export function welcomeScreen(facts: {
  cluster: SampleCluster;
  apiUrl: string;
  listen: SocketAddress;
  admin: SocketAddress;
  firstAnswer: string;
}): string {
  const { namespaces, services, slices } = facts.cluster;
  const counts = `${namespaces.length} Namespaces, ${services.length} Services, ${slices.length} EndpointSlices`;
  return [
    "",
    bold("Holdfast demo"),
    "",
    row("API server", facts.apiUrl, `a sample cluster: ${counts}, changing all the time`),
    row("agent", formatSocketAddress(facts.listen), `DNS over UDP and TCP; ${facts.firstAnswer}`),
    row("status page", statusUrl(facts.admin), ""),
    "",
    bold("Try, in another terminal, in this directory"),
    "",
    ...commands(facts.listen).map(
      ({ command, shows }) => `  ${command.padEnd(commandWidth(facts.listen))}  ${dim(`# ${shows}`)}`,
    ),
    "",
  ].join("\n");
}

interface Command {
  readonly command: string;
  readonly shows: string;
}

function commands(listen: SocketAddress): Command[] {
  const changing = `${CHANGING_SERVICE.name}.${CHANGING_SERVICE.namespace}`;
  return [
    lookup(listen, `web.shop.svc.${ZONE}`, "a dual-stack Service"),
    lookup(listen, `_https._tcp.web.shop.svc.${ZONE} SRV`, "its port by name"),
    lookup(listen, `db-0.db.shop.svc.${ZONE} A`, "one pod of a StatefulSet"),
    lookup(listen, `legacy-ledger.shop.svc.${ZONE} A`, "an ExternalName, followed"),
    lookup(listen, "10.96.0.10", "whose address is it?"),
    lookup(listen, `cache.shop.svc.${ZONE} A`, "pods are replaced: run it again"),
    lookup(listen, `${changing}.svc.${ZONE} A`, "a Service that comes and goes"),
    lookup(listen, `nowhere.shop.svc.${ZONE} A`, "NXDOMAIN: no such Service"),
    { command: digCommand(listen), shows: "the same with dig" },
  ];
}

function lookup(listen: SocketAddress, question: string, shows: string): Command {
  const address = formatSocketAddress(listen);
  const server = address === DEFAULT_LISTEN ? "" : ` --server ${address}`;
  return { command: `npx holdfast lookup ${question}${server}`, shows };
}

function digCommand({ address, port }: SocketAddress): string {
  return `dig @${address} -p ${port} web.shop.svc.${ZONE}`;
}

function commandWidth(listen: SocketAddress): number {
  return Math.max(...commands(listen).map(({ command }) => command.length));
}

/** What can be done now. Without a terminal the keys are read from standard input all the same. */
export function keysLine(isApiUp: boolean, isTerminal: boolean): string {
  const next = isApiUp
    ? `${bold("o")} outage: kill the API server and replace the agent`
    : `${bold("r")} bring the API server back`;
  const withoutKeys = isTerminal ? "" : "  The outage without keys: npm start -- --outage\n";
  return `\n${withoutKeys}  ${next}   ${bold("q")} quit\n`;
}

export function drillStep(number: number, text: string): string {
  return `  ${number}  ${text}\n`;
}

export function drillScreen(report: DrillReport): string {
  const asked = `${report.asked} questions in ${seconds(report.elapsedMs)}`;
  return [
    "",
    row("asked", asked, ""),
    row("lost", count(report.lost), ""),
    row("wrong", count(report.wrong), ""),
    ...report.failures.map((failure) => `    ${failure}`),
    row("longest", `${report.longestMs.toFixed(1)} ms`, "from a question to its answer"),
    row("age of data", seconds(report.dataAgeMs), "at the end, since the API server died"),
    row(
      "marked stale",
      String(report.stale),
      "answers, with EDE 3 (Stale Answer) or 19 (Stale NXDOMAIN Answer)",
    ),
    "",
  ].join("\n");
}

/** Where staleness can be seen while the API server is gone. */
export function staleHints(listen: SocketAddress, admin: SocketAddress): string {
  return [
    "",
    `  ${digCommand(listen)}  ${dim('# has a line "EDE: 3 (Stale Answer)"')}`,
    `  ${statusUrl(admin)}  ${dim("# the new agent's status page")}`,
    "",
  ].join("\n");
}

function row(label: string, value: string, remark: string): string {
  return `  ${label.padEnd(12)} ${value.padEnd(32)} ${remark === "" ? "" : dim(remark)}`.trimEnd();
}

function count(failures: number): string {
  return failures === 0 ? styleText(["bold", "green"], "0") : styleText(["bold", "red"], String(failures));
}

function statusUrl(admin: SocketAddress): string {
  return `http://${formatSocketAddress(admin)}/status`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function bold(text: string): string {
  return styleText("bold", text);
}

function dim(text: string): string {
  return styleText("dim", text);
}
