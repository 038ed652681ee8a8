import type { EndpointRecord, EndpointSliceRecord } from "../../model/records.ts";
import {
  asFields,
  asIpAddress,
  asLabel,
  asList,
  LABEL_FORM,
  type Problem,
  show,
} from "./projection-fields.ts";

/** API reference, EndpointSlice `endpoints`: "a maximum of 1000 endpoints". */
const MAX_ENDPOINTS = 1000;
/** API reference, Endpoint `addresses`: "a maximum of 100". */
const MAX_ADDRESSES = 100;
/** One broken controller must not fill the log with one slice. */
const MAX_PROBLEMS = 10;

type AddressType = EndpointSliceRecord["addressType"];

/**
 * The endpoints of a slice. An endpoint that makes no sense is left out alone, and a slice that is too large is cut.
 *
 * @returns The reason as a string where nothing of a list with entries was usable: an empty slice would then be a lie.
 */
export function readEndpoints(
  value: unknown,
  addressType: AddressType,
  problems: Problem[],
): EndpointRecord[] | string {
  const list = asList(value);
  if (list === undefined) return `endpoints is ${show(value)}; accepted is a list`;
  const found: Problem[] = [];
  if (list.length > MAX_ENDPOINTS) {
    found.push({
      field: "endpoints",
      reason: `endpoints has ${list.length} entries; the first ${MAX_ENDPOINTS} are used`,
    });
  }
  const endpoints: EndpointRecord[] = [];
  let unusable = 0;
  for (let index = 0; index < list.length && index < MAX_ENDPOINTS; index++) {
    const problemsBefore = found.length;
    const endpoint = readEndpoint(list[index], `endpoints[${index}]`, addressType, found);
    if (endpoint !== undefined) endpoints.push(endpoint);
    else if (found.length > problemsBefore) unusable++;
  }
  if (endpoints.length === 0 && unusable > 0) return found[0].reason;
  report(found, problems);
  return endpoints;
}

function report(found: readonly Problem[], problems: Problem[]): void {
  problems.push(...found.slice(0, MAX_PROBLEMS));
  if (found.length > MAX_PROBLEMS) {
    problems.push({
      field: "endpoints",
      reason: `endpoints has ${found.length - MAX_PROBLEMS} more problems like these`,
    });
  }
}

/** Undefined where the endpoint has no address: nothing to resolve to, which is a problem only if one was given. */
function readEndpoint(
  value: unknown,
  path: string,
  addressType: AddressType,
  problems: Problem[],
): EndpointRecord | undefined {
  const fields = asFields(value);
  if (fields === undefined) {
    problems.push({ field: path, reason: `${path} is ${show(value)}; accepted is an object` });
    return undefined;
  }
  const addresses = readAddresses(fields["addresses"], `${path}.addresses`, addressType, problems);
  if (addresses.length === 0) return undefined;
  const hostname = readHostname(fields["hostname"], `${path}.hostname`, problems);
  const ready = readReady(fields["conditions"], `${path}.conditions`, problems);
  return { addresses, hostname, ready };
}

function readAddresses(
  value: unknown,
  path: string,
  addressType: AddressType,
  problems: Problem[],
): string[] {
  const list = asList(value);
  if (list === undefined) {
    problems.push({ field: path, reason: `${path} is ${show(value)}; accepted is a list` });
    return [];
  }
  if (list.length > MAX_ADDRESSES) {
    problems.push({
      field: path,
      reason: `${path} has ${list.length} entries; the first ${MAX_ADDRESSES} are used`,
    });
  }
  const addresses: string[] = [];
  for (let index = 0; index < list.length && index < MAX_ADDRESSES; index++) {
    const address = asIpAddress(list[index]);
    if (address !== undefined && address.includes(":") === (addressType === "IPv6")) addresses.push(address);
    else {
      const field = `${path}[${index}]`;
      problems.push({
        field,
        reason: `${field} is ${show(list[index])}; accepted is an ${addressType} address`,
      });
    }
  }
  return addresses;
}

function readHostname(value: unknown, path: string, problems: Problem[]): string {
  if (value === undefined || value === null || value === "") return "";
  const hostname = asLabel(value);
  if (hostname === undefined) {
    problems.push({ field: path, reason: `${path} is ${show(value)}; accepted is ${LABEL_FORM}; ignored` });
  }
  return hostname ?? "";
}

/** Kubernetes DNS specification 1.1.0 section 2.1: an unknown state is a ready one. */
function readReady(conditions: unknown, path: string, problems: Problem[]): boolean {
  const ready = asFields(conditions)?.["ready"] ?? true;
  if (typeof ready === "boolean") return ready;
  problems.push({
    field: `${path}.ready`,
    reason: `${path}.ready is ${show(ready)}; accepted is true or false; taken as true`,
  });
  return true;
}
