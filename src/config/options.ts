import type { SocketAddress } from "../base/socket-address.ts";
import { parseAdminAddress, parseSocketAddress, SOCKET_ADDRESS_FORM } from "./addresses.ts";
import type { AdminAddress, AgentConfig } from "./agent-config.ts";
import type { Parsed } from "./parsed.ts";
import { parseZoneName, ZONE_FORM } from "./zone-name.ts";

/**
 * The one table of the agent's options. Flags, environment variables, keys of the file, checks, messages and `--help` all
 * come from it; the option reference in the README is checked against it.
 *
 * The flag is `--name`, the key in the file `name`, the variable `HOLDFAST_` and the name in capitals.
 */
export interface Option<Value> {
  readonly name: string;
  /** What stands for the value in `--help`. */
  readonly placeholder: string;
  /** One sentence for people. */
  readonly doc: string;
  /** Completes "accepted is ...". */
  readonly accepts: string;
  /** Given more than once: flags repeat, the variable separates by commas, the file has a list. */
  readonly repeatable: boolean;
  /** As it would be written; empty where there is none or `defaultDoc` says it better. */
  readonly defaults: readonly string[];
  readonly defaultDoc?: string;
  readonly parse: (text: string) => Parsed<Value>;
}

const MAX_TTL_SECONDS = 3600;

/** In the order of `--help`. */
export const OPTIONS = {
  source: choice({
    name: "source",
    values: ["kubernetes", "manifests"],
    defaults: [],
    defaultDoc: "manifests where --manifests is given, else kubernetes",
    doc: "Where Services and endpoints are learned from.",
  }),
  kubeconfig: path({
    name: "kubeconfig",
    placeholder: "FILE",
    doc: "Credentials and address of the API server.",
    defaultDoc: "in-cluster, then $KUBECONFIG, then ~/.kube/config",
  }),
  context: single({
    name: "context",
    placeholder: "NAME",
    doc: "The context of the kubeconfig to use.",
    accepts: "the name of a context",
    defaults: [],
    defaultDoc: "the kubeconfig's current-context",
    parse: nonEmpty,
  }),
  manifests: path({
    name: "manifests",
    placeholder: "DIR",
    doc: "Directory of *.yaml, *.yml and *.json with Services, EndpointSlices and Namespaces; watched.",
    defaultDoc: "none",
  }),
  listen: repeatable<SocketAddress>({
    name: "listen",
    placeholder: "ADDR:PORT",
    doc: "Address for DNS over UDP and TCP.",
    accepts: SOCKET_ADDRESS_FORM,
    defaults: ["127.0.0.1:5353"],
    parse: parseSocketAddress,
  }),
  admin: repeatable<AdminAddress>({
    name: "admin",
    placeholder: "ADDR:PORT|unix:PATH",
    doc: "Address for /healthz, /readyz, /metrics and /status.",
    accepts: "ADDR:PORT such as 127.0.0.1:9853 or [::1]:9853, or unix:PATH",
    defaults: ["127.0.0.1:9853"],
    parse: parseAdminAddress,
  }),
  heartbeatDir: path({
    name: "heartbeat-dir",
    placeholder: "DIR",
    doc: "Directory where alive and ready are written each second, for probes that run a command.",
    defaultDoc: "none",
  }),
  dataDir: path({
    name: "data-dir",
    placeholder: "DIR",
    doc: "Directory of the snapshot. Where it cannot be written, the agent says so and goes on without.",
    defaults: ["/var/lib/holdfast"],
  }),
  zones: repeatable<string>({
    name: "zone",
    placeholder: "NAME",
    doc: "Zone to serve; the first is the cluster's own, a reverse zone may follow.",
    accepts: ZONE_FORM,
    defaults: ["cluster.local"],
    parse: parseZoneName,
  }),
  endpoints: choice({
    name: "endpoints",
    values: ["headless", "all"],
    defaults: ["headless"],
    doc: "EndpointSlices to watch: those of headless Services (cheap for the API server), or all.",
  }),
  ttlSeconds: single<number>({
    name: "ttl",
    placeholder: "SECONDS",
    doc: "TTL of answers in seconds.",
    accepts: `a whole number of seconds from 0 to ${MAX_TTL_SECONDS}`,
    defaults: ["5"],
    parse: parseTtlSeconds,
  }),
  pods: choice({
    name: "pods",
    values: ["disabled", "insecure"],
    defaults: ["insecure"],
    doc: "Names such as 10-0-0-1.NAMESPACE.pod.ZONE: none, or any address without a check, as kubeadm sets up CoreDNS.",
  }),
  logLevel: choice({
    name: "log-level",
    values: ["trace", "debug", "info", "warn", "error"],
    defaults: ["info"],
    doc: "Least severe lines to log.",
  }),
  logFormat: choice({
    name: "log-format",
    values: ["json", "pretty"],
    defaults: [],
    defaultDoc: "pretty on a terminal, else json",
    doc: "Form of the log lines, which go to standard error.",
  }),
} as const satisfies { readonly [Key in keyof AgentConfig]: Option<unknown> };

/** Not a setting: names the file that the others may come from. */
export const CONFIG_OPTION = path({
  name: "config",
  placeholder: "FILE",
  doc: "YAML file with any of these options as keys, without the dashes.",
  defaultDoc: "none",
});

/** Every key of `OPTIONS`, with the type that its parser gives. */
export type OptionKey = keyof typeof OPTIONS;

export const OPTION_KEYS = Object.keys(OPTIONS) as readonly OptionKey[];

export function envName(option: Option<unknown>): string {
  return `HOLDFAST_${option.name.toUpperCase().replaceAll("-", "_")}`;
}

type Given<Value> = Omit<Option<Value>, "repeatable">;

function single<Value>(option: Given<Value>): Option<Value> {
  return { ...option, repeatable: false };
}

function repeatable<Value>(option: Given<Value>): Option<Value> {
  return { ...option, repeatable: true };
}

function path(
  option: Omit<Given<string>, "accepts" | "parse" | "defaults"> & { defaults?: readonly string[] },
) {
  return single<string>({ defaults: [], ...option, accepts: "a path", parse: nonEmpty });
}

function choice<const Values extends readonly string[]>(
  option: Omit<Given<Values[number]>, "accepts" | "parse" | "placeholder"> & { values: Values },
): Option<Values[number]> {
  const { values, ...rest } = option;
  const accepts = `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
  const parse = (text: string): Parsed<Values[number]> =>
    values.includes(text) ? { value: text } : { problem: "this is none of the choices" };
  return single({ ...rest, accepts, placeholder: values.join("|"), parse });
}

function nonEmpty(text: string): Parsed<string> {
  if (text === "") return { problem: "it is empty" };
  return text.includes("\0") ? { problem: "it has a zero octet" } : { value: text };
}

function parseTtlSeconds(text: string): Parsed<number> {
  if (!/^\d{1,9}$/.test(text)) return { problem: "this is not a whole number" };
  const value = Number(text);
  return value > MAX_TTL_SECONDS ? { problem: `above ${MAX_TTL_SECONDS}` } : { value };
}
