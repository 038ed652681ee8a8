import { isIP } from "node:net";
import { quote } from "../config/given.ts";
import { OPTIONS } from "../config/options.ts";
import type { Parsed } from "../config/parsed.ts";
import { didYouMean } from "../config/suggest.ts";
import type { InjectSettings } from "../inject/injection-plan.ts";
import { IMAGE_REPOSITORY } from "../render/agent-container.ts";
import { sidecarContainer, sidecarVolumes } from "../render/sidecar.ts";
import type { GivenFlags } from "./flags.ts";
import { readFlags } from "./flags.ts";

export interface InjectRequest {
  /** `-` is standard input. */
  readonly files: readonly string[];
  readonly settings: InjectSettings;
}

const MODES = ["link-local", "service", "sidecar"] as const;
const ROLES = ["fallback", "primary"] as const;
type Mode = (typeof MODES)[number];
type Role = InjectSettings["role"];

const LINK_LOCAL_ADDRESS = "169.254.53.53";
const LOOPBACK_ADDRESS = "127.0.0.1";
const DNS_PORT = 53;
/** A pod has three nameservers, of which the cluster's DNS is one. */
const MAX_ADDRESSES = 2;
/** RES_MAXRETRANS and RES_MAXRETRY of glibc: resolvers take more for this. */
const MAX_TIMEOUT_SECONDS = 30;
const MAX_ATTEMPTS = 5;
const DEFAULT_TIMEOUT_SECONDS = 1;
const DEFAULT_ATTEMPTS = 2;

const ADDRESS_FORM = "an IP address such as 10.96.0.10 or fd00:53::53, without a port";
const NAMESPACE_FORM = "a namespace's name such as shop";
const IMAGE_FORM = `an image such as ${IMAGE_REPOSITORY}:1.2.3`;
const TIMEOUT_FORM = `a whole number of seconds from 1 to ${MAX_TIMEOUT_SECONDS}`;
const ATTEMPTS_FORM = `a whole number from 1 to ${MAX_ATTEMPTS}`;

const FLAGS = {
  "--mode": listOf(MODES),
  "--role": listOf(ROLES),
  "--address": ADDRESS_FORM,
  "--cluster-dns": ADDRESS_FORM,
  "--cluster-domain": OPTIONS.zones.accepts,
  "--namespace": NAMESPACE_FORM,
  "--image": IMAGE_FORM,
  "--timeout": TIMEOUT_FORM,
  "--attempts": ATTEMPTS_FORM,
} as const;

export const INJECT_HELP = `Usage: holdfast inject [FILE|-]... [OPTION]...

Reads manifests, as YAML or JSON, and writes them to standard output with the DNS settings of their pods changed, so that the
pods ask the agent. Without FILE, or for -, it reads standard input:

  kubectl get deployment web -o yaml | holdfast inject - | kubectl apply -f -

Changed are the pods of Pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Job and CronJob, also in a
List. Everything else stays as it is, to the octet. Pods stay as they are, and a line on standard error says why, where they are
on the host network without dnsPolicy ClusterFirstWithHostNet, where dnsPolicy is Default or None, where they are not for Linux,
have the label holdfast/inject: disabled, have nameservers of their own and no room for another, or are injected already. An
annotation remembers what was added; holdfast uninject takes that away again.

Options:
  --mode link-local|service|sidecar
                         Where the agent is: on the node, at an address that is the same on all (default); behind a Service, whose
                         address --address is; in the pod itself. The last needs Kubernetes 1.29, and the right to list and
                         watch Services, Namespaces and EndpointSlices for the pod's ServiceAccount.
  --role fallback|primary
                         Who is asked first: the cluster's DNS and then the agent (default), or the agent and then the cluster's
                         DNS. The latter writes dnsPolicy None, and needs --cluster-dns and the namespace of each object. A
                         sidecar is always asked first.
  --address ADDR         The agent's, may be repeated: up to ${MAX_ADDRESSES}. Default: ${LINK_LOCAL_ADDRESS}; ${LOOPBACK_ADDRESS} for a sidecar.
  --cluster-dns ADDR     Address of the cluster's DNS Service, such as 10.96.0.10.
  --cluster-domain NAME  Zone of the cluster. Default: ${OPTIONS.zones.defaults[0]}.
  --namespace NAME       Namespace of objects that name none.
  --image IMAGE          Of the sidecar. Default: ${IMAGE_REPOSITORY} in the version of this command.
  --timeout SECONDS      Wait for one nameserver. Default: ${DEFAULT_TIMEOUT_SECONDS}; a pod's own value stays.
  --attempts COUNT       Rounds through all nameservers. Default: ${DEFAULT_ATTEMPTS}; a pod's own value stays.

Exit codes: 0 done, 1 a file cannot be read or edited, and nothing is written, 2 called wrongly.
`;

export const UNINJECT_HELP = `Usage: holdfast uninject [FILE|-]...

Reads manifests and writes them to standard output without what holdfast inject added, by its annotation holdfast/injected. What
is not from inject stays, also where it came later. Without FILE, or for -, it reads standard input:

  kubectl get deployment web -o yaml | holdfast uninject - | kubectl apply -f -

Exit codes: 0 done, 1 a file cannot be read or edited, and nothing is written, 2 called wrongly.
`;

type Given = GivenFlags<typeof FLAGS>;

/** @returns The request, or in `problem` one line that names what is wrong and what is accepted. */
export function parseInjectArgs(args: readonly string[], version: string): Parsed<InjectRequest> {
  const flags = readFlags(args, FLAGS);
  if ("problem" in flags) return flags;
  const given = flags.value;
  const settings = parseSettings(given, version);
  if ("problem" in settings) return settings;
  return { value: { files: filesOf(given.words), settings: settings.value } };
}

/** @returns The files. */
export function parseUninjectArgs(args: readonly string[]): Parsed<readonly string[]> {
  const flags = readFlags(args, {});
  return "problem" in flags ? flags : { value: filesOf(flags.value.words) };
}

function filesOf(words: readonly string[]): readonly string[] {
  return words.length === 0 ? ["-"] : words;
}

function parseSettings(given: Given, version: string): Parsed<InjectSettings> {
  const mode = parseChoice(given, "--mode", MODES, MODES[0]);
  if ("problem" in mode) return mode;
  const role = parseRole(given, mode.value);
  if ("problem" in role) return role;
  const addresses = parseAddresses(given, mode.value);
  if ("problem" in addresses) return addresses;
  const clusterDns = parseClusterDns(given, role.value, addresses.value);
  if ("problem" in clusterDns) return clusterDns;
  const numbers = parseNumbers(given);
  if ("problem" in numbers) return numbers;
  const names = parseNames(given);
  if ("problem" in names) return names;
  const image = given.last("--image") ?? `${IMAGE_REPOSITORY}:${version}`;
  if (!/^[^\s:@][^\s]*$/.test(image))
    return { problem: `--image: ${quote(image)} is no image; accepted is ${IMAGE_FORM}` };
  const { clusterDomain } = names.value;
  const sidecar = mode.value === "sidecar" ? sidecarOf(addresses.value[0], image, clusterDomain) : undefined;
  return {
    value: {
      role: role.value,
      addresses: addresses.value,
      clusterDns: clusterDns.value,
      ...names.value,
      ...numbers.value,
      sidecar,
    },
  };
}

function parseRole(given: Given, mode: Mode): Parsed<Role> {
  const role = parseChoice(given, "--role", ROLES, mode === "sidecar" ? "primary" : "fallback");
  if ("problem" in role || mode !== "sidecar" || role.value === "primary") return role;
  return { problem: '--role: "fallback" with --mode sidecar; accepted with it is primary' };
}

function parseAddresses(given: Given, mode: Mode): Parsed<readonly string[]> {
  const addresses = given.all("--address");
  for (const address of addresses) {
    const problem = addressProblem("--address", address);
    if (problem !== undefined) return { problem };
    if (mode === "sidecar" && !/^(?:127\.|::1$)/.test(address))
      return {
        problem: `--address: ${quote(address)} with --mode sidecar; accepted with it is a loopback address`,
      };
  }
  const unique = [...new Set(addresses)];
  const limit = mode === "sidecar" ? 1 : MAX_ADDRESSES;
  if (unique.length > limit)
    return { problem: `--address is given ${unique.length} times; accepted are up to ${limit}` };
  if (unique.length > 0) return { value: unique };
  if (mode === "service")
    return {
      problem: "--mode service needs --address; accepted with it is the ClusterIP of the agent's Service",
    };
  return { value: [mode === "sidecar" ? LOOPBACK_ADDRESS : LINK_LOCAL_ADDRESS] };
}

function parseClusterDns(given: Given, role: Role, addresses: readonly string[]): Parsed<string | undefined> {
  const text = given.last("--cluster-dns");
  if (text === undefined && role === "primary")
    return {
      problem:
        "--cluster-dns is missing, and pods that ask the agent first need it; accepted is the ClusterIP of the cluster's DNS, such as 10.96.0.10",
    };
  if (text === undefined) return { value: undefined };
  const problem = addressProblem("--cluster-dns", text);
  if (problem !== undefined) return { problem };
  if (addresses.includes(text))
    return { problem: `--cluster-dns: ${quote(text)} is the agent's own address; accepted is another` };
  return { value: text };
}

function parseNames(given: Given): Parsed<Pick<InjectSettings, "clusterDomain" | "namespace">> {
  const domain = given.last("--cluster-domain") ?? OPTIONS.zones.defaults[0];
  const clusterDomain = OPTIONS.zones.parse(domain);
  if ("problem" in clusterDomain)
    return {
      problem: `--cluster-domain: ${quote(domain)}: ${clusterDomain.problem}; accepted is ${OPTIONS.zones.accepts}`,
    };
  const namespace = given.last("--namespace");
  if (namespace !== undefined && !/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace))
    return { problem: `--namespace: ${quote(namespace)}; accepted is ${NAMESPACE_FORM}` };
  return { value: { clusterDomain: clusterDomain.value, namespace } };
}

function parseNumbers(given: Given): Parsed<Pick<InjectSettings, "timeoutSeconds" | "attempts">> {
  const timeout = parseNumber(given, "--timeout", MAX_TIMEOUT_SECONDS, DEFAULT_TIMEOUT_SECONDS);
  if ("problem" in timeout) return timeout;
  const attempts = parseNumber(given, "--attempts", MAX_ATTEMPTS, DEFAULT_ATTEMPTS);
  if ("problem" in attempts) return attempts;
  return { value: { timeoutSeconds: timeout.value, attempts: attempts.value } };
}

function parseNumber(
  given: Given,
  flag: "--timeout" | "--attempts",
  max: number,
  fallback: number,
): Parsed<number> {
  const text = given.last(flag) ?? String(fallback);
  const value = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= max) return { value };
  return { problem: `${flag}: ${quote(text)}; accepted is ${FLAGS[flag]}` };
}

function parseChoice<Choice extends string>(
  given: Given,
  flag: "--mode" | "--role",
  choices: readonly Choice[],
  fallback: Choice,
): Parsed<Choice> {
  const text = given.last(flag) ?? fallback;
  const value = choices.find((choice) => choice === text);
  if (value !== undefined) return { value };
  return { problem: `${flag}: ${quote(text)}${didYouMean(text, choices)}; accepted is ${listOf(choices)}` };
}

function addressProblem(flag: string, text: string): string | undefined {
  return isIP(text) === 0 || text.includes("%")
    ? `${flag}: ${quote(text)}; accepted is ${ADDRESS_FORM}`
    : undefined;
}

function sidecarOf(address: string, image: string, clusterDomain: string) {
  const listen = { family: isIP(address) === 6 ? 6 : 4, address, port: DNS_PORT } as const;
  return { container: sidecarContainer({ image, listen, clusterDomain }), volumes: sidecarVolumes() };
}

function listOf(choices: readonly string[]): string {
  return `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
}
