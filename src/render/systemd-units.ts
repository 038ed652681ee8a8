import { quote } from "../config/given.ts";
import { AGENT_UID } from "./agent-container.ts";
import { agentArguments } from "./agent-arguments.ts";
import { isMapping } from "./deep-merge.ts";
import type { NodeValues } from "./node-values.ts";
import { InvalidValues } from "./read-values.ts";

/** A file for a node. */
export interface NodeFile {
  readonly name: string;
  /** Where it belongs. */
  readonly directory: string;
  readonly text: string;
}

const USER = "holdfast";
const UNIT_DIRECTORY = "/etc/systemd/system";
const SETUP_UNIT = "holdfast-setup.service";
const STATE_ROOT = "/var/lib/";
/** The kubelet's guess for a critical pod, less one: the agent goes after it. */
const OOM_SCORE_ADJUST = -998;

/**
 * Units that run the agent from a directory with the files of the image.
 * @throws {InvalidValues} for values that only a pod can have.
 */
export function systemdFiles(values: NodeValues): readonly NodeFile[] {
  const setup = { name: SETUP_UNIT, directory: UNIT_DIRECTORY, text: setupUnit(values) };
  const user = `u ${USER} ${AGENT_UID} "Holdfast agent" ${values.snapshot.hostPath}\n`;
  return [
    { name: "holdfast.service", directory: UNIT_DIRECTORY, text: agentUnit(values) },
    ...(setsUpNode(values) ? [setup] : []),
    { name: "holdfast.conf", directory: "/etc/sysusers.d", text: user },
  ];
}

/** They keep small what a fault could reach. No MemoryDenyWriteExecute: V8 compiles at run time. */
const HARDENING: readonly string[] = [
  "NoNewPrivileges=yes",
  "LockPersonality=yes",
  "PrivateDevices=yes",
  "PrivateTmp=yes",
  "ProtectClock=yes",
  "ProtectControlGroups=yes",
  "ProtectHome=yes",
  "ProtectHostname=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectProc=invisible",
  "ProtectSystem=strict",
  "RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "SystemCallArchitectures=native",
  "SystemCallErrorNumber=EPERM",
  "SystemCallFilter=@system-service",
  "UMask=0027",
];

/** Of a pod and its containers: a unit cannot have them, and leaving them out would change what was asked for. */
const POD_VALUES = [
  "extraContainers",
  "extraInitContainers",
  "extraVolumes",
  "extraVolumeMounts",
  "hostAliases",
  "lifecycle",
] as const;

function agentUnit(values: NodeValues): string {
  const { systemd, snapshot } = values;
  for (const name of POD_VALUES)
    if (Object.keys(values[name]).length > 0)
      throw new InvalidValues(`${name}: only a pod can have it; accepted for systemd is none`);
  if (values.metrics.enabled || values.metrics.scrapeAnnotations)
    throw new InvalidValues(
      `metrics.enabled and metrics.scrapeAnnotations: a unit does not know the address of its node; accepted is false, and --admin=ADDR:${values.metrics.port} in extraArgs`,
    );
  const command = [
    `${systemd.directory}/nodejs/bin/node`,
    `${systemd.directory}/app/bin/holdfast.cjs`,
    ...agentArguments(values, [`--data-dir=${snapshot.hostPath}`, `--kubeconfig=${systemd.kubeconfig}`]),
  ];
  return lines(
    `# Made by: holdfast render systemd. ${systemd.directory} holds directories of the image: nodejs, app and busybox.`,
    `# ${systemd.kubeconfig} must be readable by ${USER}, and have the right to list and watch`,
    "# Services, Namespaces and EndpointSlices.",
    "[Unit]",
    "Description=Holdfast, DNS of the cluster on this node",
    // Without its addresses the agent waits for them, and serves them when they come: better than no agent.
    setsUpNode(values) && `Wants=${SETUP_UNIT}`,
    setsUpNode(values) ? `After=network.target ${SETUP_UNIT}` : "After=network.target",
    "Before=kubelet.service",
    "# It never gives up. The agent itself limits what its starts ask of the API server.",
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "Type=exec",
    `ExecStart=${command.map(quoteArgument).join(" \\\n  ")}`,
    "Environment=MALLOC_ARENA_MAX=1",
    ...values.extraEnv.map(environmentLine),
    "Restart=always",
    "RestartSec=500ms",
    "KillMode=mixed",
    `TimeoutStopSec=${values.terminationGracePeriodSeconds}`,
    "DynamicUser=no",
    `User=${USER}`,
    `Group=${USER}`,
    ...dataDirectory(snapshot.hostPath),
    "AmbientCapabilities=CAP_NET_BIND_SERVICE",
    "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
    "ProtectKernelTunables=yes",
    "RemoveIPC=yes",
    ...HARDENING,
    "LimitNOFILE=65536",
    `OOMScoreAdjust=${OOM_SCORE_ADJUST}`,
    memoryLine(values),
    "",
    "[Install]",
    "WantedBy=multi-user.target",
  );
}

/** Not RemainAfterExit: it runs before each start of the agent, because whoever sets up the network may have undone it. */
function setupUnit(values: NodeValues): string {
  const { linkLocal, systemd } = values;
  const command = [
    `${systemd.directory}/busybox/busybox`,
    "sh",
    `${systemd.directory}/busybox/link-local`,
    "add",
    `--interface=${linkLocal.interface}`,
    `--ipv4=${linkLocal.ipv4}`,
    `--ipv6=${linkLocal.ipv6}`,
    ...(linkLocal.liftIcmpLimit ? ["--lift-icmp-limit"] : []),
  ];
  return lines(
    "# Made by: holdfast render systemd. The addresses stay when the agent stops, so that its port is refused at once.",
    "[Unit]",
    "Description=Addresses of Holdfast on this node",
    "After=network.target",
    "",
    "[Service]",
    "Type=oneshot",
    `ExecStart=${command.map(quoteArgument).join(" \\\n  ")}`,
    "CapabilityBoundingSet=CAP_NET_ADMIN",
    `ProtectKernelTunables=${linkLocal.liftIcmpLimit ? "no" : "yes"}`,
    ...HARDENING,
  );
}

function setsUpNode({ linkLocal }: NodeValues): boolean {
  return linkLocal.setup === "init";
}

/** systemd makes what is below its own root, and gives it to the user. */
function dataDirectory(path: string): readonly string[] {
  if (!path.startsWith(STATE_ROOT)) return [`# Must exist, and belong to ${USER}.`, `ReadWritePaths=${path}`];
  return [`StateDirectory=${path.slice(STATE_ROOT.length)}`, "StateDirectoryMode=0750"];
}

/** The binary and decimal quantities of Kubernetes; systemd knows only binary ones, by the letters of the decimal. */
function memoryLine({ resources }: NodeValues): string | false {
  const limits = isMapping(resources["limits"]) ? resources["limits"] : {};
  const limit = limits["memory"];
  if (limit === undefined) return false;
  const text = typeof limit === "string" ? limit : JSON.stringify(limit);
  const match = /^(\d+)(?:(k|M|G|T)|([KMGT])i)?$/.exec(text);
  if (match === null)
    throw new InvalidValues(
      `resources.limits.memory: ${quote(text)}; accepted is a whole number with a unit such as 256Mi`,
    );
  const [, count, decimal, binary = ""] = match;
  const factor = decimal === undefined ? 1 : 1000 ** ("kMGT".indexOf(decimal) + 1);
  return `MemoryMax=${Number(count) * factor}${binary}`;
}

function environmentLine(variable: unknown): string {
  const { name, value } = isMapping(variable) ? variable : {};
  if (typeof name !== "string" || !/^\w+$/.test(name) || typeof value !== "string")
    throw new InvalidValues(
      `extraEnv: ${quote(JSON.stringify(variable))}; accepted in a unit is a name with a value, which is a text`,
    );
  return `Environment=${quoteText(`${name}=${value}`, false)}`;
}

function quoteArgument(text: string): string {
  return /^[\w@+=:,./[\]-]+$/.test(text) ? text : quoteText(text, true);
}

/** systemd.syntax(7), and systemd.unit(5) for the percent sign. @param isCommand  Whether variables are put in. */
function quoteText(text: string, isCommand: boolean): string {
  // oxlint-disable-next-line no-control-regex -- exactly those are refused
  if (/[\x00-\x1f\x7f]/.test(text))
    throw new InvalidValues(`${quote(text)} has control characters; accepted in a unit is a text without`);
  const escaped = text.replaceAll(/[\\"]/g, String.raw`\$&`).replaceAll("%", "%%");
  return `"${isCommand ? escaped.replaceAll("$", "$$$$") : escaped}"`;
}

function lines(...texts: readonly (string | false)[]): string {
  return texts.map((text) => (text === false ? "" : `${text}\n`)).join("");
}
