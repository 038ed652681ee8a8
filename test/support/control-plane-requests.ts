/** Who asked the API server for what: the two records a control plane keeps of its requests. */

/** A request as the audit log has it (API reference: audit.k8s.io/v1 Event). */
export interface AuditedRequest {
  readonly user: string;
  readonly userAgent: string;
  readonly verb: string;
  readonly resource: string;
  readonly uri: string;
}

/**
 * `apiserver_request_total` summed by verb and resource; keys are `LIST services`. A watch is counted when it ends, and the
 * API server's own loopback clients are counted like all others.
 */
export type RequestTotals = ReadonlyMap<string, number>;

export function parseRequestTotals(exposition: string): RequestTotals {
  const totals = new Map<string, number>();
  for (const line of exposition.split("\n")) {
    if (!line.startsWith("apiserver_request_total{")) continue;
    const label = (name: string) => new RegExp(`[{,]${name}="([^"]*)"`).exec(line)?.[1] ?? "";
    const key = `${label("verb")} ${label("resource")}`;
    const value = Number(line.slice(line.lastIndexOf(" ")));
    totals.set(key, (totals.get(key) ?? 0) + value);
  }
  return totals;
}

/** What was added between two readings; keys without a change are left out. */
export function totalsAdded(before: RequestTotals, after: RequestTotals): RequestTotals {
  const added = Array.from(after, ([key, value]) => [key, value - (before.get(key) ?? 0)] as const);
  return new Map(added.filter(([, count]) => count > 0));
}
