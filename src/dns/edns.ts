/** What an OPT record says, as fields (RFC 6891 section 6.1). */
import { OPTION_EDE, TYPE_OPT } from "./constants.ts";
import type { Message } from "./message.ts";
import { ROOT_NAME } from "./name.ts";
import type { EdnsOption, ResourceRecord } from "./record.ts";

export interface Edns {
  /** Upper eight bits of the RCODE. */
  readonly extendedRcode: number;
  readonly version: number;
  readonly udpPayloadOctets: number;
  readonly dnssecOk: boolean;
  readonly options: readonly EdnsOption[];
}

/** One Extended DNS Error (RFC 8914). */
export interface ExtendedError {
  readonly infoCode: number;
  /** Invalid UTF-8 is replaced: the text is for people. Empty for none. */
  readonly extraText: string;
}

const DNSSEC_OK = 0x8000;

/** The record for the additional section of a message. */
export function createOptRecord(edns: Edns): ResourceRecord {
  return {
    owner: ROOT_NAME,
    rrtype: TYPE_OPT,
    rrclass: edns.udpPayloadOctets,
    ttl: edns.extendedRcode * 2 ** 24 + edns.version * 2 ** 16 + (edns.dnssecOk ? DNSSEC_OK : 0),
    rdata: { kind: "opt", options: edns.options },
  };
}

/** The EDNS fields of an OPT record; undefined for any other. */
export function readEdns(record: ResourceRecord): Edns | undefined {
  if (record.rdata.kind !== "opt") return undefined;
  return {
    extendedRcode: record.ttl >>> 24,
    version: (record.ttl >>> 16) & 0xff,
    udpPayloadOctets: record.rrclass,
    dnssecOk: (record.ttl & DNSSEC_OK) !== 0,
    options: record.rdata.options,
  };
}

/** The EDNS fields of a message; undefined without an OPT record. */
export function messageEdns(message: Message): Edns | undefined {
  const record = message.additionals.find(({ rdata }) => rdata.kind === "opt");
  return record === undefined ? undefined : readEdns(record);
}

/** The whole RCODE of a message, the eight bits in its OPT record included. */
export function messageRcode(message: Message): number {
  return ((messageEdns(message)?.extendedRcode ?? 0) << 4) | (message.flags & 0xf);
}

/** The Extended DNS Errors among options; one that is too short for its INFO-CODE is passed over. */
export function extendedErrors(options: readonly EdnsOption[]): ExtendedError[] {
  return options
    .filter(({ code, data }) => code === OPTION_EDE && data.length >= 2)
    .map(({ data }) => ({
      infoCode: (data[0] << 8) | data[1],
      // Some servers end the text with a NUL, although RFC 8914 section 2 says not to.
      extraText: new TextDecoder().decode(data.subarray(2)).replace(/\0+$/, ""),
    }));
}
