import { formatIpAddress, IPV4_OCTETS, IPV6_OCTETS, writeIpAddress } from "../../model/ip-address.ts";
import type { PortRecord } from "../../model/records.ts";

/**
 * Reading single fields of API objects whose type is unknown: every function takes any JSON value and throws on none.
 * `null`, an absent field and an empty list are the same thing; that difference broke a service mesh once (Monzo, 2017-10-27).
 */

/** Part of an object that was left out, with the field, its value and what is accepted. */
export interface Problem {
  /** Path of the field within the object, for example `endpoints[3].hostname`. */
  readonly field: string;
  readonly reason: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** API reference: a Service may have any number; what more than this needs is not DNS. */
const MAX_PORTS = 1000;
const MAX_LABEL_LENGTH = 63;
const MAX_NAME_LENGTH = 253;
const MAX_SHOWN_LENGTH = 60;

const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
/** Underscores and capitals are in use in names outside the cluster. */
const TARGET_LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/i;
/** Old API servers stored octets with leading zeros and meant decimals (Go's ParseIPSloppy). */
const PADDED_OCTET = /(^|\.)0+(?=\d)/g;

export const LABEL_FORM = "a DNS label: at most 63 letters, digits and hyphens";

/** The value as an object with fields; undefined for everything else. */
export function asFields(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** The value as a list; empty for null and absent; undefined for everything else. */
export function asList(value: unknown): readonly unknown[] | undefined {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? (value as readonly unknown[]) : undefined;
}

/** The value for a message: short, on one line, and safe for nesting of any depth. */
export function show(value: unknown): string {
  switch (typeof value) {
    case "undefined":
      return "missing";
    case "string":
      return value.length > MAX_SHOWN_LENGTH
        ? `${JSON.stringify(value.slice(0, MAX_SHOWN_LENGTH))}... (${value.length} characters)`
        : JSON.stringify(value);
    case "number":
    case "boolean":
      return String(value);
    default:
      if (value === null) return "null";
      return Array.isArray(value) ? "a list" : "an object";
  }
}

/** One DNS label (RFC 1123 section 2.1) in lower case; undefined for everything else. */
export function asLabel(value: unknown): string | undefined {
  if (typeof value !== "string" || value.length > MAX_LABEL_LENGTH) return undefined;
  const label = value.toLowerCase();
  return LABEL.test(label) ? label : undefined;
}

/** A name as Kubernetes gives it to EndpointSlices: DNS labels with dots between them; in lower case. */
export function asSubdomain(value: unknown): string | undefined {
  if (typeof value !== "string" || value.length > MAX_NAME_LENGTH) return undefined;
  const name = value.toLowerCase();
  return name.split(".").every((label) => label.length <= MAX_LABEL_LENGTH && LABEL.test(label))
    ? name
    : undefined;
}

/** What a CNAME may point to, as written but without the final dot. */
export function asTargetName(value: unknown): string | undefined {
  if (typeof value !== "string" || value.length > MAX_NAME_LENGTH + 1) return undefined;
  const name = value.endsWith(".") ? value.slice(0, -1) : value;
  const isName = name
    .split(".")
    .every((label) => label.length <= MAX_LABEL_LENGTH && TARGET_LABEL.test(label));
  return isName && name.length <= MAX_NAME_LENGTH ? name : undefined;
}

/** Octets of the address at hand: a relist reads 150,000 of them, and none is kept in this form. */
const OCTETS = new Uint8Array(IPV6_OCTETS);

/** Canonical text of an IP address of any family; undefined for everything else. */
export function asIpAddress(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const length = writeIpAddress(value, OCTETS, 0);
  if (length === IPV6_OCTETS) return formatIpAddress(OCTETS, 0, length);
  // Strict dotted decimal is its own canonical form.
  if (length === IPV4_OCTETS) return value;
  const unpadded = withoutPadding(value);
  return writeIpAddress(unpadded, OCTETS, 0) === IPV4_OCTETS ? unpadded : undefined;
}

function withoutPadding(text: string): string {
  return text.length <= 15 && !text.includes(":") ? text.replace(PADDED_OCTET, "$1") : text;
}

/**
 * The ports of a Service or an EndpointSlice. A port that makes no sense is left out alone: the name must go on resolving.
 *
 * @param path  Where the list is, for messages.
 * @param lowest  Smallest port number accepted; 0 where the field may be absent.
 */
export function readPorts(value: unknown, path: string, lowest: 0 | 1, problems: Problem[]): PortRecord[] {
  const list = asList(value);
  if (list === undefined) {
    problems.push({ field: path, reason: `${path} is ${show(value)}; accepted is a list; taken as empty` });
    return [];
  }
  if (list.length > MAX_PORTS) {
    problems.push({
      field: path,
      reason: `${path} has ${list.length} entries; the first ${MAX_PORTS} are used`,
    });
  }
  const ports: PortRecord[] = [];
  for (let index = 0; index < list.length && index < MAX_PORTS; index++) {
    const port = readPort(list[index], lowest);
    if (typeof port === "string")
      problems.push({ field: `${path}[${index}]`, reason: `${path}[${index}]${port}` });
    else ports.push(port);
  }
  return ports;
}

/** A string is the rest of a message that begins with the path of the port. */
function readPort(value: unknown, lowest: 0 | 1): PortRecord | string {
  const fields = asFields(value);
  if (fields === undefined) return ` is ${show(value)}; accepted is an object`;
  const rawName = fields["name"] ?? "";
  const name = rawName === "" ? "" : asLabel(rawName);
  if (name === undefined) return `.name is ${show(rawName)}; accepted is ${LABEL_FORM}`;
  const protocol = fields["protocol"] ?? "TCP";
  if (protocol !== "TCP" && protocol !== "UDP" && protocol !== "SCTP") {
    return `.protocol is ${show(protocol)}; accepted is TCP, UDP or SCTP`;
  }
  const port = fields["port"] ?? (lowest === 0 ? 0 : undefined);
  if (typeof port !== "number" || !Number.isInteger(port) || port < lowest || port > 0xffff) {
    return `.port is ${show(port)}; accepted is an integer from ${lowest} to 65535`;
  }
  return { name, protocol, port };
}
