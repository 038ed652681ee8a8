import type { StatusDocument } from "./status-document.ts";

/**
 * The status page: one HTML response without script, image, font or link to elsewhere, so that it works through
 * `kubectl port-forward`, over a socket file with curl, and on a node that has lost its cluster.
 */
export function renderStatusPage(status: StatusDocument): string {
  const isFine = status.isReady && status.summary === "everything is live";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Holdfast: ${isFine ? "live" : status.isReady ? "degraded" : "not ready"}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Holdfast <small>${escape(status.version)}</small></h1>
<p class="summary ${isFine ? "good" : status.isReady ? "warn" : "bad"}">${escape(capitalize(status.summary))}.</p>
<p>Up ${duration(status.uptimeSeconds)}, as of ${escape(status.at)}. The same as JSON: <code>Accept: application/json</code>.</p>
${conditions("Ready", status.readiness)}
${kinds(status)}
${heldLists(status)}
${rejections(status)}
${snapshot(status)}
${worker(status)}
${sockets(status)}
${traffic(status)}
${config(status)}
</body>
</html>
`;
}

type Cell = string | number | { readonly mark: "good" | "warn" | "bad"; readonly text: string };

function conditions(title: string, list: StatusDocument["readiness"]): string {
  const rows = list.map(({ name, isMet, reason }): Cell[] => [flag(isMet, "yes", "no"), name, reason]);
  return section(title, table(["", "Condition", "Reason"], rows));
}

function kinds({ kinds, table: entries }: StatusDocument): string {
  const rows = kinds.map((kind): Cell[] => [
    kind.kind,
    { mark: kind.state === "live" ? "good" : kind.isComplete ? "warn" : "bad", text: kind.state },
    kind.ageSeconds === undefined
      ? "never in step"
      : kind.ageSeconds === 0
        ? "now"
        : `${duration(kind.ageSeconds)} ago`,
    kind.objects,
    kind.isComplete ? "yes" : "no",
    kind.resourceVersion,
    kind.reason,
  ]);
  const note = `<p>The answer table has ${entries.services} Services and ${entries.endpoints} endpoints in ${entries.namespaces} namespaces, ${bytes(entries.sizeBytes)}.</p>`;
  const head = ["Kind", "State", "In step", "Objects", "Complete", "resourceVersion", "Reason"];
  return section("What is known", table(head, rows) + note);
}

function heldLists({ held }: StatusDocument): string {
  if (held.length === 0) return "";
  const rows = held.map((list): Cell[] => [
    list.policy,
    list.feed,
    `${duration(list.ageSeconds)} ago`,
    list.reason,
  ]);
  return section("Held by the guard", table(["Policy", "List", "Since", "Reason"], rows));
}

function rejections({ rejections }: StatusDocument): string {
  if (rejections.latest.length === 0) return "";
  const rows = rejections.latest.map(({ where, reason }): Cell[] => [where, reason]);
  return section("Objects left out", table(["Where", "Reason"], rows));
}

function snapshot({ snapshot }: StatusDocument): string {
  const { ageSeconds, sizeBytes, isLastWriteOk, problems } = snapshot;
  const rows: Cell[][] = [
    ["On disk", ageSeconds === undefined ? "nothing" : `${bytes(sizeBytes)}, ${duration(ageSeconds)} old`],
    ["Last write", isLastWriteOk === undefined ? "none yet" : flag(isLastWriteOk, "ok", "failed")],
    ...problems.map((text): Cell[] => ["Problem", { mark: "bad", text }]),
  ];
  return section("Snapshot", table([], rows));
}

function worker({ syncWorker, api, eventLoop }: StatusDocument): string {
  const rows: Cell[][] = [
    ["Sync worker", flag(syncWorker.isRunning, "running", "not running")],
    ["Restarts", syncWorker.restarts],
    ...(syncWorker.lastFailure === "" ? [] : [["Last failure", syncWorker.lastFailure]]),
    ["Longest delta", milliseconds(syncWorker.deltaApplyMaxSeconds)],
    [
      "DNS loop late",
      `${milliseconds(eventLoop.maxSeconds)} at worst, ${milliseconds(eventLoop.p99Seconds)} p99`,
    ],
  ];
  if (api !== undefined) {
    rows.push(["API requests", counts(api.requestsByOutcome)], ["Watches opened again", api.watchRestarts]);
  }
  return section("Sync", table([], rows));
}

function sockets({ sockets }: StatusDocument): string {
  const rows = sockets.map(({ transport, address, isOpen, problem }): Cell[] => [
    `${address}/${transport}`,
    flag(isOpen, "open", "closed"),
    problem,
  ]);
  return section("Listening", table(["Address", "", "Problem"], rows));
}

function traffic({ traffic }: StatusDocument): string {
  return section(
    "Queries since the start",
    table(
      [],
      [
        ["UDP", traffic.udpRequests],
        ["TCP", traffic.tcpRequests],
        ["Responses", counts(traffic.responsesByRcode)],
        ["Extended errors", counts(traffic.extendedErrors)],
        ["From live data", traffic.liveAnswers],
        ["From stale data", traffic.staleAnswers],
        ["Truncated", traffic.truncated],
        ["Dropped", traffic.dropped],
        ["TCP connections", `${traffic.tcpConnectionsOpen} open, ${traffic.tcpConnectionsRejected} rejected`],
      ],
    ),
  );
}

function config({ config }: StatusDocument): string {
  const rows = Object.entries(config).flatMap(([name, value]): Cell[][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : String(value)]],
  );
  return section("Settings", table([], rows));
}

function section(title: string, body: string): string {
  return `<section><h2>${escape(title)}</h2>${body}</section>`;
}

function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const headRow =
    head.length === 0 ? "" : `<tr>${head.map((text) => `<th>${escape(text)}</th>`).join("")}</tr>`;
  const bodyRows = rows.map((row) => `<tr>${row.map(renderCell).join("")}</tr>`);
  return `<div class="wide"><table>${headRow}${bodyRows.join("\n")}</table></div>`;
}

function renderCell(cell: Cell): string {
  if (typeof cell === "object") return `<td class="${cell.mark}">${escape(cell.text)}</td>`;
  return `<td>${escape(String(cell))}</td>`;
}

function flag(isGood: boolean, good: string, bad: string): Cell {
  return isGood ? { mark: "good", text: good } : { mark: "bad", text: bad };
}

function counts(byName: Readonly<Record<string, number>>): string {
  const list = Object.entries(byName).map(([name, count]) => `${name} ${count}`);
  return list.length === 0 ? "none" : list.join(", ");
}

/** Two units at most: what a person compares with the clock on the wall. */
function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const days = Math.floor(whole / 86_400);
  const hours = Math.floor((whole % 86_400) / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

function bytes(count: number): string {
  return count < 10_240
    ? `${count} B`
    : count < 10_485_760
      ? `${Math.round(count / 1024)} KiB`
      : `${Math.round(count / 1_048_576)} MiB`;
}

function milliseconds(seconds: number): string {
  return `${(seconds * 1000).toFixed(1)} ms`;
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Names and reasons come from the cluster, from servers and from files: text, never markup. */
function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --warn: #9a6700; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --good: #57ab5a; --warn: #d4a72c; --bad: #f47067; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin: 0; font-size: 1.6rem; } h1 small { font-weight: normal; font-size: 1rem; opacity: .7; }
h2 { font-size: 1.05rem; margin: 1.8rem 0 .4rem; }
.summary { padding: .6rem .9rem; border-left: 4px solid; background: #8881; font-weight: 600; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; opacity: .75; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
`;
