import type { Parsed } from "./parsed.ts";

/** RFC 1035 section 2.3.4: 255 octets on the wire are 253 characters of text. */
const MAX_NAME_CHARACTERS = 253;
const MAX_LABEL_CHARACTERS = 63;

export const ZONE_FORM = "a DNS name such as cluster.local";

/** A zone's name in canonical form: lower case, without the final dot. Labels as RFC 1123 section 2.1 has them. */
export function parseZoneName(text: string): Parsed<string> {
  const name = (text.endsWith(".") ? text.slice(0, -1) : text).toLowerCase();
  if (name === "") return { problem: "the root is not a zone of a cluster" };
  if (name.length > MAX_NAME_CHARACTERS)
    return { problem: `a name has at most ${MAX_NAME_CHARACTERS} characters, this one ${name.length}` };
  for (const label of name.split(".")) {
    const problem = labelProblem(label);
    if (problem !== undefined) return { problem };
  }
  return { value: name };
}

/** Zones of addresses (RFC 1035 section 3.5, RFC 3596 section 2.5): they hold PTR records and no Service. */
export function isReverseZone(name: string): boolean {
  return /(?:^|\.)(?:in-addr|ip6)\.arpa$/.test(name);
}

function labelProblem(label: string): string | undefined {
  if (label === "") return "a label is empty";
  if (label.length > MAX_LABEL_CHARACTERS)
    return `a label has at most ${MAX_LABEL_CHARACTERS} characters, ${JSON.stringify(label.slice(0, 12))}... has ${label.length}`;
  if (!/^[a-z0-9-]+$/.test(label))
    return `label ${JSON.stringify(label)} has more than letters, digits and hyphens`;
  if (label.startsWith("-") || label.endsWith("-"))
    return `label ${JSON.stringify(label)} begins or ends with a hyphen`;
  return undefined;
}
