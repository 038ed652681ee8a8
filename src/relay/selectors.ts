import { badRequest } from "./api-status.ts";
import type { StoredObject } from "./stored-object.ts";
import type { Matches } from "./watch-event.ts";

/**
 * Label and field selectors (Kubernetes concepts, "Labels and Selectors" and "Field Selectors").
 * Both are conjunctions: an object matches when every requirement does.
 */

const KEY = "[A-Za-z0-9_./-]+";
const LABEL_REQUIREMENT = new RegExp(
  `^\\s*(?:!\\s*(?<absent>${KEY})|(?<key>${KEY})` +
    String.raw`\s*(?:(?<operator>==?|!=)\s*(?<value>[\w.-]*)|\s(?<setOperator>in|notin)\s*\((?<values>[\w.,\s-]*)\))?)\s*$`,
);

const FIELDS: Readonly<Record<string, (object: StoredObject) => string>> = {
  "metadata.name": (object) => object.name,
  "metadata.namespace": (object) => object.namespace,
};

/** @throws ApiStatusError 400 that quotes the requirement that cannot be read. */
export function parseLabelSelector(selector: string): Matches {
  return all(splitRequirements(selector).map(parseLabelRequirement));
}

/** @throws ApiStatusError 400 for a field that cannot be selected on, and for bad syntax. */
export function parseFieldSelector(selector: string): Matches {
  return all(splitRequirements(selector).map(parseFieldRequirement));
}

function all(requirements: readonly Matches[]): Matches {
  return (object) => requirements.every((matches) => matches(object));
}

/** At commas, but not at those of a set. */
function splitRequirements(selector: string): string[] {
  return selector.trim() === "" ? [] : selector.split(/,(?![^(]*\))/);
}

function parseLabelRequirement(requirement: string): Matches {
  const parts = LABEL_REQUIREMENT.exec(requirement)?.groups;
  if (parts === undefined) throw badRequest(`unable to parse requirement: "${requirement}"`);
  const { absent, key = "", operator, value = "", setOperator, values = "" } = parts;
  if (absent !== undefined) return ({ labels }) => !Object.hasOwn(labels, absent);
  const wanted = setOperator === undefined ? [value] : values.split(",").map((item) => item.trim());
  const isOneOf: Matches = ({ labels }) => Object.hasOwn(labels, key) && wanted.includes(labels[key]);
  if (operator === "!=" || setOperator === "notin") return (object) => !isOneOf(object);
  if (operator === undefined && setOperator === undefined) return ({ labels }) => Object.hasOwn(labels, key);
  return isOneOf;
}

function parseFieldRequirement(requirement: string): Matches {
  const parts = /^\s*(?<field>[^\s!=]+)\s*(?<operator>==?|!=)\s*(?<value>[^\s!=]*)\s*$/.exec(
    requirement,
  )?.groups;
  if (parts === undefined) throw badRequest(`invalid field selector: "${requirement}"`);
  const { field = "", operator, value } = parts;
  const read = Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined;
  if (read === undefined) throw badRequest(`field label not supported: ${field}`);
  return operator === "!=" ? (object) => read(object) !== value : (object) => read(object) === value;
}
