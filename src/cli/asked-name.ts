import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { quote } from "../config/given.ts";
import type { Parsed } from "../config/parsed.ts";
import { TYPE_A, TYPE_AAAA, TYPE_PTR } from "../dns/constants.ts";
import { parseType } from "../dns/mnemonics.ts";

const TYPE_FORM = "a type such as A, AAAA, SRV, PTR, TXT, CNAME, SOA, NS, ANY or TYPE65";

/** What to ask for one name on the command line. */
export interface Asked {
  /** Without the final dot. */
  readonly name: string;
  /** One query each. */
  readonly types: readonly number[];
}

/** Without a type: PTR for an IP address, else A and AAAA. */
export function parseAsked(name: string, typeText: string | undefined): Parsed<Asked> {
  const type = typeText === undefined ? undefined : parseType(typeText);
  if (typeText !== undefined && type === undefined)
    return { problem: `type: ${quote(typeText)} is unknown; accepted is ${TYPE_FORM}` };
  // RFC 6895 section 3.1; dns2 would ask for type A.
  if (type === 0) return { problem: `type: ${quote(typeText ?? "")} is reserved; accepted is ${TYPE_FORM}` };
  if (isIP(name) !== 0) return { value: { name: reverseName(name), types: [type ?? TYPE_PTR] } };
  const problem = nameProblem(name);
  if (problem !== undefined)
    return { problem: `name: ${quote(name)}: ${problem}; accepted is a DNS name or an IP address` };
  return {
    value: { name: name.replace(/\.$/, ""), types: type === undefined ? [TYPE_A, TYPE_AAAA] : [type] },
  };
}

/** RFC 1035 section 3.5; RFC 3596 section 2.5: one label per octet, or per hexadecimal digit. */
function reverseName(address: string): string {
  const octets = ipaddr.parse(address).toByteArray();
  if (octets.length === 4) return `${octets.toReversed().join(".")}.in-addr.arpa`;
  const digits = octets.flatMap((octet) => [(octet >> 4).toString(16), (octet & 15).toString(16)]);
  return `${digits.toReversed().join(".")}.ip6.arpa`;
}

/** dns2 drops empty labels and cuts nothing else: what it would ask must be what was written. */
function nameProblem(name: string): string | undefined {
  if (name === ".") return undefined;
  // oxlint-disable-next-line no-control-regex -- exactly those are refused
  if (/[^\x21-\x7e]|\\/.test(name)) return "it has characters that this command cannot ask for";
  const labels = name.replace(/\.$/, "").split(".");
  if (labels.includes("")) return "a label is empty";
  if (labels.some((label) => label.length > 63)) return "a label has more than 63 characters";
  return name.length > 254 ? "it has more than 253 characters" : undefined;
}
