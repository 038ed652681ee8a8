import type { Packet } from "dns2";
import * as dns from "../dns/constants.ts";
import { formatType } from "../dns/mnemonics.ts";
import type { Resource } from "./format-resource.ts";
import { absolute, formatData, printable } from "./format-resource.ts";
import { statusOf } from "./render-reply.ts";

/** What of a reply a client acts on. */
export interface ComparedAnswer {
  /** As `statusOf` has it. */
  readonly status: string;
  /** The answer section as a set, sorted: `web.shop.svc.cluster.local. A 10.96.1.10`. */
  readonly answer: readonly string[];
}

/** Order and TTL are left out, and whether a letter of a name is a capital (RFC 4343). */
export function comparedAnswer(reply: Packet): ComparedAnswer {
  const damaged = reply.errors.map((error) => `a record that could not be read: ${printable(error.message)}`);
  return {
    status: statusOf(reply),
    answer: [...new Set([...reply.answers.map(formatCompared), ...damaged])].sort(),
  };
}

export function isSameAnswer(left: ComparedAnswer, right: ComparedAnswer): boolean {
  return (
    left.status === right.status &&
    left.answer.length === right.answer.length &&
    left.answer.every((record, at) => record === right.answer[at])
  );
}

function formatCompared(record: Resource): string {
  const data = withoutSerial(record.type, formatData(record));
  const text = hasNames(record) ? data.toLowerCase() : data;
  return `${absolute(record.name).toLowerCase()} ${formatType(record.type)} ${text}`;
}

/** A serial number counts one server's versions of a zone (RFC 1035 section 3.3.13): two servers have two. */
function withoutSerial(type: number, data: string): string {
  return type === dns.TYPE_SOA ? data.replace(/ \d+(?=(?: \d+){4}$)/, " 0") : data;
}

function hasNames({ type }: Resource): boolean {
  return type !== dns.TYPE_TXT && type !== dns.TYPE_HINFO;
}
