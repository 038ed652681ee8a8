import type { AdminView } from "../admin/admin-view.ts";
import { formatExtendedErrorCode, formatRcode } from "../dns/mnemonics.ts";

/** The value, then one text for each of the metric's labels. */
type Sample = readonly [value: number, ...labels: string[]];

export interface Metric {
  /** Prometheus naming: base units, `_total` for counters (https://prometheus.io/docs/practices/naming/). */
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  /** Each with a small fixed set of values: never a name, an address or a message. */
  readonly labels: readonly string[];
  readonly read: (view: AdminView) => readonly Sample[];
}

const STATES = ["never", "restored", "syncing", "live", "stale"] as const;
/** Of the guard. */
const POLICIES = ["zero-guard", "wrong-cluster"];

/** Every metric of the agent, once, in the order of the exposition. */
export const METRICS: readonly Metric[] = [
  {
    name: "holdfast_build_info",
    type: "gauge",
    help: "Always 1; the labels say what is running.",
    labels: ["version", "node_version"],
    read: (view) => [[1, view.version, process.version]],
  },
  {
    name: "holdfast_ready",
    type: "gauge",
    help: "1 where the condition of /readyz is met.",
    labels: ["condition"],
    read: (view) => view.readiness().map(({ name, isMet }) => [Number(isMet), name]),
  },
  {
    name: "holdfast_dns_requests_total",
    type: "counter",
    help: "DNS messages received.",
    labels: ["transport"],
    read: (view) => {
      const { udpRequests, tcpRequests } = view.traffic();
      return [
        [udpRequests, "udp"],
        [tcpRequests, "tcp"],
      ];
    },
  },
  {
    name: "holdfast_dns_responses_total",
    type: "counter",
    help: "DNS responses sent, by RCODE.",
    labels: ["rcode"],
    read: (view) => byCode(view.traffic().responsesByRcode, [0, 1, 2, 3, 4, 5, 16], formatRcode),
  },
  {
    name: "holdfast_dns_dropped_total",
    type: "counter",
    help: "DNS messages that no response is due to, such as responses and fragments of a header.",
    labels: [],
    read: (view) => [[view.traffic().dropped]],
  },
  {
    name: "holdfast_dns_truncated_total",
    type: "counter",
    help: "Responses over UDP sent with the TC bit.",
    labels: [],
    read: (view) => [[view.traffic().truncated]],
  },
  {
    name: "holdfast_dns_send_failures_total",
    type: "counter",
    help: "Responses over UDP that could not be sent; while most succeed, errors are sampled.",
    labels: ["reason"],
    read: (view) => {
      const { sendErrors, sendQueueOverflows } = view.traffic();
      return [
        [sendErrors, "error"],
        [sendQueueOverflows, "queue-full"],
      ];
    },
  },
  {
    name: "holdfast_dns_failures_total",
    type: "counter",
    help: "DNS messages that got no response because of an unexpected error, which the log has.",
    labels: [],
    read: (view) => [[view.traffic().failures]],
  },
  {
    name: "holdfast_dns_answers_total",
    type: "counter",
    help: "Responses for our zones, by whether the data was in step with its source.",
    labels: ["freshness"],
    read: (view) => {
      const { liveAnswers, staleAnswers } = view.traffic();
      return [
        [liveAnswers, "live"],
        [staleAnswers, "stale"],
      ];
    },
  },
  {
    name: "holdfast_dns_extended_errors_total",
    type: "counter",
    help: "Extended DNS Errors sent (RFC 8914).",
    labels: ["error"],
    read: (view) => byCode(view.traffic().extendedErrors, [3, 14, 19, 20, 22], formatExtendedErrorCode),
  },
  {
    name: "holdfast_dns_listeners",
    type: "gauge",
    help: "Listen addresses, by whether their socket is open.",
    labels: ["transport", "state"],
    read: readListeners,
  },
  {
    name: "holdfast_dns_socket_errors_total",
    type: "counter",
    help: "Listening sockets that broke and were opened again.",
    labels: [],
    read: (view) => [[view.traffic().socketErrors]],
  },
  {
    name: "holdfast_dns_tcp_connections",
    type: "gauge",
    help: "TCP connections open now.",
    labels: [],
    read: (view) => [[view.traffic().tcpConnectionsOpen]],
  },
  {
    name: "holdfast_dns_tcp_connections_accepted_total",
    type: "counter",
    help: "TCP connections accepted.",
    labels: [],
    read: (view) => [[view.traffic().tcpConnectionsAccepted]],
  },
  {
    name: "holdfast_dns_tcp_connections_rejected_total",
    type: "counter",
    help: "TCP connections closed at once because a limit was reached.",
    labels: [],
    read: (view) => [[view.traffic().tcpConnectionsRejected]],
  },
  {
    name: "holdfast_dns_tcp_connections_closed_total",
    type: "counter",
    help: "TCP connections closed by the agent after they were accepted.",
    labels: ["reason"],
    read: (view) => {
      const { tcpConnectionsEvicted, tcpConnectionsTimedOut, tcpConnectionsMalformed } = view.traffic();
      return [
        [tcpConnectionsEvicted, "evicted"],
        [tcpConnectionsTimedOut, "timed-out"],
        [tcpConnectionsMalformed, "malformed"],
      ];
    },
  },
  {
    name: "holdfast_dns_tcp_accept_errors_total",
    type: "counter",
    help: "TCP connections that the kernel could not hand over.",
    labels: [],
    read: (view) => [[view.traffic().tcpAcceptErrors]],
  },
  {
    name: "holdfast_table_entries",
    type: "gauge",
    help: "What the answer table holds.",
    labels: ["entry"],
    read: (view) => {
      const { namespaces, services, endpoints } = view.table();
      return [
        [namespaces, "namespace"],
        [services, "service"],
        [endpoints, "endpoint"],
      ];
    },
  },
  {
    name: "holdfast_table_size_bytes",
    type: "gauge",
    help: "Memory of the answer table.",
    labels: [],
    read: (view) => [[view.table().sizeBytes]],
  },
  {
    name: "holdfast_kind_state",
    type: "gauge",
    help: "1 for the state that the kind is in.",
    labels: ["kind", "state"],
    read: (view) =>
      view
        .kinds()
        .flatMap(({ kind, state }) => STATES.map((each): Sample => [Number(each === state), kind, each])),
  },
  {
    name: "holdfast_kind_complete",
    type: "gauge",
    help: "1 where every object of the kind was known at some time, so that a name may be denied.",
    labels: ["kind"],
    read: (view) => view.kinds().map(({ kind, isComplete }) => [Number(isComplete), kind]),
  },
  {
    name: "holdfast_kind_age_seconds",
    type: "gauge",
    help: "Time since what is held of the kind was last in step with its source; 0 while live.",
    labels: ["kind"],
    read: (view) => view.kinds().flatMap(({ kind, ageSeconds }) => optional(ageSeconds, kind)),
  },
  {
    name: "holdfast_kind_objects",
    type: "gauge",
    help: "Objects held.",
    labels: ["kind"],
    read: (view) => view.kinds().map(({ kind, objects }) => [objects, kind]),
  },
  {
    name: "holdfast_guard_held_lists",
    type: "gauge",
    help: "Lists that the guard keeps from being served.",
    labels: ["policy"],
    read: readHeldLists,
  },
  {
    name: "holdfast_rejected_objects_total",
    type: "counter",
    help: "Objects left out because they are not valid.",
    labels: ["kind"],
    read: (view) => view.kinds().map(({ kind }) => [view.rejections().byKind.get(kind) ?? 0, kind]),
  },
  {
    name: "holdfast_api_requests_total",
    type: "counter",
    help: "Requests to the API server.",
    labels: ["outcome"],
    read: (view) => [...(view.api()?.requestsByOutcome ?? [])].map(([outcome, count]) => [count, outcome]),
  },
  {
    name: "holdfast_api_watch_restarts_total",
    type: "counter",
    help: "Watches opened again after one ended.",
    labels: [],
    read: (view) => optional(view.api()?.watchRestarts),
  },
  {
    name: "holdfast_snapshot_age_seconds",
    type: "gauge",
    help: "Age of the newest snapshot on disk.",
    labels: [],
    read: (view) => optional(view.snapshot().ageSeconds),
  },
  {
    name: "holdfast_snapshot_size_bytes",
    type: "gauge",
    help: "Size of the newest snapshot on disk.",
    labels: [],
    read: (view) => [[view.snapshot().sizeBytes]],
  },
  {
    name: "holdfast_snapshot_last_write_success",
    type: "gauge",
    help: "1 where the last attempt to write the snapshot worked; absent before the first.",
    labels: [],
    read: (view) => {
      const { isLastWriteOk } = view.snapshot();
      return optional(isLastWriteOk === undefined ? undefined : Number(isLastWriteOk));
    },
  },
  {
    name: "holdfast_snapshot_problems",
    type: "gauge",
    help: "Things wrong with the snapshot or its directory, as /status lists them.",
    labels: [],
    read: (view) => [[view.snapshot().problems.length]],
  },
  {
    name: "holdfast_sync_worker_running",
    type: "gauge",
    help: "1 while the sync worker runs.",
    labels: [],
    read: (view) => [[Number(view.syncWorker().isRunning)]],
  },
  {
    name: "holdfast_sync_worker_restarts_total",
    type: "counter",
    help: "Sync workers started after one ended.",
    labels: [],
    read: (view) => [[view.syncWorker().restarts]],
  },
  {
    name: "holdfast_delta_apply_max_seconds",
    type: "gauge",
    help: "The longest that one delta kept the DNS loop, since the start.",
    labels: [],
    read: (view) => [[view.syncWorker().deltaApplyMaxSeconds]],
  },
  {
    name: "holdfast_event_loop_delay_max_seconds",
    type: "gauge",
    help: "How late the DNS loop was at worst, over the last one to two minutes.",
    labels: [],
    read: (view) => [[view.eventLoop().maxSeconds]],
  },
  {
    name: "holdfast_event_loop_delay_p99_seconds",
    type: "gauge",
    help: "How late the DNS loop was, 99th percentile over the last one to two minutes.",
    labels: [],
    read: (view) => [[view.eventLoop().p99Seconds]],
  },
  {
    name: "process_cpu_seconds_total",
    type: "counter",
    help: "User and system CPU time of the process.",
    labels: [],
    read: () => {
      const { user, system } = process.cpuUsage();
      return [[(user + system) / 1e6]];
    },
  },
  {
    name: "process_resident_memory_bytes",
    type: "gauge",
    help: "Resident memory of the process.",
    labels: [],
    read: () => [[process.memoryUsage.rss()]],
  },
  {
    name: "process_start_time_seconds",
    type: "gauge",
    help: "Start of the process since 1970.",
    labels: [],
    read: (view) => [[view.startedAtWallMs / 1000]],
  },
];

function readListeners(view: AdminView): Sample[] {
  const sockets = view.sockets();
  return (["udp", "tcp"] as const).flatMap((transport) => {
    const ours = sockets.filter((socket) => socket.transport === transport);
    const open = ours.filter((socket) => socket.isOpen).length;
    return [
      [open, transport, "open"],
      [ours.length - open, transport, "closed"],
    ] satisfies Sample[];
  });
}

function readHeldLists(view: AdminView): Sample[] {
  const counts = new Map(POLICIES.map((policy) => [policy, 0]));
  for (const { policy } of view.held()) counts.set(policy, (counts.get(policy) ?? 0) + 1);
  return [...counts].map(([policy, count]) => [count, policy]);
}

/** The codes that happened, and the usual ones from the start: a rate needs a zero to begin from. */
function byCode(
  counts: ArrayLike<number>,
  usual: readonly number[],
  format: (code: number) => string,
): Sample[] {
  const samples: Sample[] = [];
  for (let code = 0; code < counts.length; code++) {
    if (counts[code] > 0 || usual.includes(code)) samples.push([counts[code], format(code)]);
  }
  return samples;
}

function optional(value: number | undefined, ...labels: string[]): Sample[] {
  return value === undefined ? [] : [[value, ...labels]];
}
