/** Records as a zone file has them: for `holdfast lookup` and for tests. */
import ipaddr from "ipaddr.js";
import { extendedErrors, readEdns, type Edns } from "./edns.ts";
import { formatClass, formatExtendedErrorCode, formatType } from "./mnemonics.ts";
import { formatName } from "./name.ts";
import type { Rdata, ResourceRecord } from "./record.ts";
import { OPTION_EDE } from "./constants.ts";

/**
 * One line in presentation format with single spaces: `web.shop.svc.cluster.local. 5 IN A 10.0.0.1`. An OPT record is not data
 * of a zone: it becomes a comment like dig's.
 */
export function formatRecord(record: ResourceRecord): string {
  const edns = readEdns(record);
  if (edns !== undefined) return formatEdns(edns);
  const { owner, ttl, rrclass, rrtype, rdata } = record;
  return `${formatName(owner, 0)} ${ttl} ${formatClass(rrclass)} ${formatType(rrtype)} ${formatRdata(rdata)}`;
}

/** RDATA as a zone file has it; what has no form of its own as RFC 3597 section 5 writes it. */
export function formatRdata(rdata: Rdata): string {
  switch (rdata.kind) {
    case "address":
      return formatAddress(rdata.address);
    case "name":
      return formatName(rdata.name, 0);
    case "mx":
      return `${rdata.preference} ${formatName(rdata.exchange, 0)}`;
    case "srv":
      return `${rdata.priority} ${rdata.weight} ${rdata.port} ${formatName(rdata.target, 0)}`;
    case "soa": {
      const { serial, refresh, retry, expire, minimum } = rdata;
      const names = `${formatName(rdata.mname, 0)} ${formatName(rdata.rname, 0)}`;
      return `${names} ${serial} ${refresh} ${retry} ${expire} ${minimum}`;
    }
    case "strings":
      return rdata.strings.map(formatCharacterString).join(" ");
    case "opt":
      return rdata.options.map(({ code, data }) => `${code}:${toHex(data)}`).join(" ");
    default:
      return `\\# ${rdata.octets.length} ${toHex(rdata.octets)}`.trimEnd();
  }
}

function formatAddress(address: Uint8Array): string {
  return ipaddr.fromByteArray([...address]).toString();
}

/** Always in quotes, so that spaces stay and an empty string is seen. */
function formatCharacterString(octets: Uint8Array): string {
  let text = "";
  for (const octet of octets) {
    if (octet < 0x20 || octet >= 0x7f) text += `\\${String(octet).padStart(3, "0")}`;
    else if (octet === 0x22 || octet === 0x5c) text += `\\${String.fromCharCode(octet)}`;
    else text += String.fromCharCode(octet);
  }
  return `"${text}"`;
}

function formatEdns(edns: Edns): string {
  const parts = [
    `; EDNS: version: ${edns.version}, flags:${edns.dnssecOk ? " do" : ""}; udp: ${edns.udpPayloadOctets}`,
  ];
  for (const { infoCode, extraText } of extendedErrors(edns.options)) {
    const text = extraText === "" ? "" : `: ${JSON.stringify(extraText)}`;
    parts.push(`EDE: ${infoCode} (${formatExtendedErrorCode(infoCode)})${text}`);
  }
  for (const { code, data } of edns.options) {
    if (code !== OPTION_EDE) parts.push(`OPT=${code}: ${toHex(data)}`.trimEnd());
  }
  return parts.join("; ");
}

function toHex(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");
}
