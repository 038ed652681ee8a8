import type { AdminView, Condition } from "./admin-view.ts";
import { renderStatusPage } from "./status-page.ts";
import { statusDocument } from "./status-document.ts";

/** What a route answers; the server adds the headers that all share. */
export interface AdminReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** The metrics, as `metrics/exposition.ts` renders them. */
export interface MetricsPage {
  readonly contentType: string;
  render(): Promise<string>;
}

export interface RouteInput {
  readonly view: AdminView;
  readonly metrics: MetricsPage;
  /** Milliseconds since 1970. */
  readonly nowWallMs: number;
  /** The `Accept` header; empty where there is none. */
  readonly accept: string;
}

interface Route {
  readonly path: string;
  readonly doc: string;
  readonly handle: (input: RouteInput) => AdminReply | Promise<AdminReply>;
}

const TEXT = "text/plain; charset=utf-8";
const JSON_TYPE = "application/json; charset=utf-8";
const HTML = "text/html; charset=utf-8";

const ROUTES: readonly Route[] = [
  {
    path: "/healthz",
    doc: "the process and its DNS loop; 503 where a restart would help",
    handle: ({ view }) => conditionsReply(view.health()),
  },
  {
    path: "/readyz",
    doc: "sockets are open and there is something to answer from; 503 where not",
    handle: ({ view }) => conditionsReply(view.readiness()),
  },
  {
    path: "/metrics",
    doc: "Prometheus metrics",
    handle: async ({ metrics }) => ({
      status: 200,
      contentType: metrics.contentType,
      body: await metrics.render(),
    }),
  },
  {
    path: "/status",
    doc: "everything for people; as JSON with Accept: application/json",
    handle: (input) => statusReply(input),
  },
];

/** Never rejects: what goes wrong in a route becomes a 500 with its reason. */
export async function answerRoute(path: string, input: RouteInput): Promise<AdminReply> {
  const route = ROUTES.find((each) => each.path === path);
  if (route === undefined) return notFoundReply(path);
  try {
    return await route.handle(input);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { status: 500, contentType: TEXT, body: `${path} failed: ${reason}\n` };
  }
}

/** One line per condition: `ok dns-sockets: ...` or `failed dns-sockets: ...`, as kube-apiserver's verbose probes have it. */
function conditionsReply(conditions: readonly Condition[]): AdminReply {
  const lines = conditions.map(({ name, isMet, reason }) => `${isMet ? "ok" : "failed"} ${name}: ${reason}`);
  const isMet = conditions.every((condition) => condition.isMet);
  return {
    status: isMet ? 200 : 503,
    contentType: TEXT,
    body: `${[isMet ? "ok" : "failed", ...lines].join("\n")}\n`,
  };
}

function statusReply({ view, nowWallMs, accept }: RouteInput): AdminReply {
  const document = statusDocument(view, nowWallMs);
  if (prefersJson(accept))
    return { status: 200, contentType: JSON_TYPE, body: `${JSON.stringify(document, undefined, 2)}\n` };
  return { status: 200, contentType: HTML, body: renderStatusPage(document) };
}

/** A browser names text/html first; a script that wants JSON names nothing else. */
function prefersJson(accept: string): boolean {
  return /\bapplication\/json\b/i.test(accept) && !/\btext\/html\b/i.test(accept);
}

function notFoundReply(path: string): AdminReply {
  const list = ROUTES.map((route) => `${route.path}  ${route.doc}`).join("\n");
  const shown = path === "/" ? "" : "There is nothing here. ";
  return { status: 404, contentType: TEXT, body: `${shown}The pages of this agent are:\n${list}\n` };
}
