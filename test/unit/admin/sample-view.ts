import type { AdminView, Condition } from "../../../src/admin/admin-view.ts";

const OK: Condition = { name: "dns-sockets", isMet: true, reason: "2 of 2 open" };

/** An agent in step with its cluster; a test overrides what it is about. */
export function sampleView(overrides: Partial<AdminView> = {}): AdminView {
  return {
    version: "1.2.3",
    config: {
      source: "kubernetes",
      kubeconfig: undefined,
      context: undefined,
      manifests: undefined,
      listen: [{ family: 6, address: "::1", port: 5353 }],
      admin: [{ type: "unix", path: "/run/holdfast.sock" }],
      heartbeatDir: undefined,
      dataDir: "/var/lib/holdfast",
      zones: ["cluster.local"],
      endpoints: "headless",
      ttlSeconds: 5,
      pods: "insecure",
      logLevel: "info",
      logFormat: "json",
    },
    startedAtWallMs: Date.UTC(2026, 0, 2, 12),
    uptimeSeconds: () => 3725,
    health: () => [{ name: "dns-loop", isMet: true, reason: "2 ms late at worst" }],
    readiness: () => [OK],
    sockets: () => [
      { transport: "udp", address: { family: 6, address: "::1", port: 5353 }, isOpen: true, problem: "" },
      { transport: "tcp", address: { family: 6, address: "::1", port: 5353 }, isOpen: true, problem: "" },
    ],
    kinds: () =>
      (["Namespace", "Service", "EndpointSlice"] as const).map((kind) => {
        return {
          kind,
          state: "live",
          isComplete: true,
          ageSeconds: 0,
          objects: 7,
          resourceVersion: "42",
          reason: "",
        };
      }),
    table: () => ({ namespaces: 3, services: 20, endpoints: 50, sizeBytes: 123_456 }),
    held: () => [],
    rejections: () => ({ byKind: new Map(), latest: [] }),
    snapshot: () => ({ ageSeconds: 4, sizeBytes: 5000, isLastWriteOk: true, problems: [] }),
    syncWorker: () => ({ isRunning: true, restarts: 0, lastFailure: "", deltaApplyMaxSeconds: 0.0012 }),
    traffic: () => ({
      udpRequests: 100,
      tcpRequests: 5,
      responsesByRcode: Float64Array.from({ length: 24 }, (_, rcode) =>
        rcode === 0 ? 90 : rcode === 23 ? 1 : 0,
      ),
      dropped: 2,
      failures: 2,
      truncated: 1,
      sendErrors: 4,
      sendQueueOverflows: 5,
      liveAnswers: 80,
      staleAnswers: 10,
      extendedErrors: Float64Array.from({ length: 64 }, (_, code) => (code === 3 ? 10 : 0)),
      socketErrors: 3,
      tcpConnectionsOpen: 1,
      tcpConnectionsAccepted: 6,
      tcpConnectionsRejected: 0,
      tcpConnectionsEvicted: 7,
      tcpConnectionsTimedOut: 8,
      tcpConnectionsMalformed: 9,
      tcpAcceptErrors: 6,
    }),
    api: () => ({ requestsByOutcome: new Map([["ok", 12]]), watchRestarts: 3 }),
    eventLoop: () => ({ maxSeconds: 0.004, p99Seconds: 0.001 }),
    ...overrides,
  };
}
