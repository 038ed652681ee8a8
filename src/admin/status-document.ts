import { formatAdminAddress, formatSocketAddress } from "../config/addresses.ts";
import { formatExtendedErrorCode, formatRcode } from "../dns/mnemonics.ts";
import type { AdminView } from "./admin-view.ts";

/** What `/status` shows, as JSON and as a page. */
export type StatusDocument = ReturnType<typeof statusDocument>;

/** Collected in one go, so that the page does not contradict itself. */
export function statusDocument(view: AdminView, nowWallMs: number) {
  const traffic = view.traffic();
  const readiness = view.readiness();
  return {
    version: view.version,
    at: new Date(nowWallMs).toISOString(),
    uptimeSeconds: view.uptimeSeconds(),
    isReady: readiness.every((condition) => condition.isMet),
    /** In one word for people: everything live and nothing held, or not. */
    summary: summarize(view),
    readiness,
    health: view.health(),
    kinds: view.kinds(),
    table: view.table(),
    held: view.held(),
    rejections: {
      byKind: Object.fromEntries(view.rejections().byKind),
      latest: view.rejections().latest,
    },
    snapshot: view.snapshot(),
    syncWorker: view.syncWorker(),
    api: describeApi(view),
    sockets: view.sockets().map(({ transport, address, isOpen, problem }) => {
      return { transport, address: formatSocketAddress(address), isOpen, problem };
    }),
    traffic: {
      ...traffic,
      responsesByRcode: named(traffic.responsesByRcode, formatRcode),
      extendedErrors: named(traffic.extendedErrors, formatExtendedErrorCode),
    },
    eventLoop: view.eventLoop(),
    config: {
      ...view.config,
      listen: view.config.listen.map(formatSocketAddress),
      admin: view.config.admin.map(formatAdminAddress),
    },
  };
}

/** Staleness is loud (I9): the one line at the top says what is not as it should be. */
function summarize(view: AdminView): string {
  const notes: string[] = [];
  for (const { name, isMet, reason } of view.readiness()) {
    if (!isMet) notes.push(`not ready (${name}): ${reason}`);
  }
  const behind = view.kinds().filter(({ state }) => state !== "live");
  if (behind.length > 0) {
    const list = behind.map(({ kind, state }) => `${kind} ${state}`).join(", ");
    notes.push(`answering from the last known state: ${list}`);
  }
  if (view.held().length > 0) notes.push("the guard holds a list back");
  if (!view.syncWorker().isRunning) notes.push("the sync worker is not running");
  notes.push(...view.snapshot().problems.map((problem) => `snapshot: ${problem}`));
  return notes.length === 0 ? "everything is live" : notes.join("; ");
}

function describeApi(view: AdminView) {
  const api = view.api();
  if (api === undefined) return undefined;
  return { ...api, requestsByOutcome: Object.fromEntries(api.requestsByOutcome) };
}

function named(counts: ArrayLike<number>, format: (code: number) => string): Record<string, number> {
  const entries: [string, number][] = [];
  for (let code = 0; code < counts.length; code++) {
    if (counts[code] > 0) entries.push([format(code), counts[code]]);
  }
  return Object.fromEntries(entries);
}
