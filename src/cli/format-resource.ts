import type { Packet } from "dns2";
import * as dns from "../dns/constants.ts";
import { formatClass, formatType } from "../dns/mnemonics.ts";

export type Resource = Packet["answers"][number];

/** `web.shop.svc.cluster.local. 5 IN A 10.0.0.1`; RDATA without a form of its own as RFC 3597 section 5 writes it. */
export function formatResource(record: Resource): string {
  const head = [absolute(record.name), record.ttl, formatClass(record.class), formatType(record.type)];
  return `${head.join(" ")} ${formatData(record)}`;
}

export function formatData(record: Resource): string {
  switch (record.type) {
    case dns.TYPE_A:
    case dns.TYPE_AAAA:
      return record.address ?? "";
    case dns.TYPE_CNAME:
    case dns.TYPE_PTR:
      return absolute(record.domain);
    case dns.TYPE_NS:
      return absolute(record.ns);
    case dns.TYPE_MX:
      return `${record.priority} ${absolute(record.exchange)}`;
    case dns.TYPE_SRV:
      return `${record.priority} ${record.weight} ${record.port} ${absolute(record.target)}`;
    case dns.TYPE_SOA: {
      const { primary, admin, serial, refresh, retry, expiration, minimum } = record;
      return [absolute(primary), absolute(admin), serial, refresh, retry, expiration, minimum].join(" ");
    }
    case dns.TYPE_TXT:
      return formatStrings(Array.isArray(record.data) ? record.data : []);
    case dns.TYPE_HINFO: {
      const strings = readHinfo(record.data);
      return strings === undefined ? formatOpaque(record.data) : formatStrings(strings);
    }
    default:
      return formatOpaque(record.data);
  }
}

/** CPU and OS (RFC 1035 section 3.3.2), which dns2 leaves as octets; undefined when they are not two character-strings. */
function readHinfo(data: Resource["data"]): readonly string[] | undefined {
  if (!Buffer.isBuffer(data) || data.length === 0) return undefined;
  const osAt = 1 + data[0];
  if (osAt >= data.length || osAt + 1 + data[osAt] !== data.length) return undefined;
  return [data.toString("utf8", 1, osAt), data.toString("utf8", osAt + 1)];
}

function formatStrings(strings: readonly string[]): string {
  return strings.map((text) => `"${printable(text).replaceAll('"', String.raw`\"`)}"`).join(" ");
}

function formatOpaque(data: Resource["data"]): string {
  const octets = Buffer.isBuffer(data) ? data : Buffer.alloc(0);
  return String.raw`\# ${octets.length} ${octets.toString("hex")}`.trimEnd();
}

export function absolute(name = ""): string {
  return `${printable(name)}.`;
}

/** Whatever a server sends, a terminal must not obey it: control characters become `\DDD` (RFC 1035 section 5.1). */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- exactly those are replaced
  return text.replaceAll(/[\x00-\x1f\x7f-\u{10ffff}\\]/gu, (character) => {
    if (character === "\\") return "\\\\";
    return Array.from(Buffer.from(character), (octet) => `\\${String(octet).padStart(3, "0")}`).join("");
  });
}
