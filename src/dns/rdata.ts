/** RDATA between wire format and `Rdata`, one pair of functions per form (RFC 1035 section 3.3; 2782; 3596; 6891). */
import type { MessageReader } from "./message-reader.ts";
import type { MessageWriter } from "./message-writer.ts";
import {
  addressOctets,
  rdataKind,
  type EdnsOption,
  type OptRdata,
  type Rdata,
  type ResourceRecord,
  type SoaRdata,
  type SrvRdata,
  type StringsRdata,
} from "./record.ts";
import { TYPE_HINFO } from "./constants.ts";

/** Reads RDATA of `octets` octets. When it fails, the reader has a problem and the value means nothing. */
export function readRdata(reader: MessageReader, rrtype: number, rrclass: number, octets: number): Rdata {
  return reader.rdata(octets, () => readKind(reader, rrtype, rrclass, octets));
}

function readKind(reader: MessageReader, rrtype: number, rrclass: number, octets: number): Rdata {
  const kind = rdataKind(rrtype, rrclass);
  switch (kind) {
    case "address":
      return { kind, address: reader.octets(addressOctets(rrtype), "an address") };
    case "name":
      return { kind, name: reader.name("the name in RDATA") };
    case "mx":
      return { kind, preference: reader.uint16("PREFERENCE"), exchange: reader.name("EXCHANGE") };
    case "srv":
      return readSrv(reader);
    case "soa":
      return readSoa(reader);
    case "strings":
      return readStrings(reader, rrtype);
    case "opt":
      return readOptions(reader);
    default:
      return { kind, octets: reader.octets(octets, "RDATA") };
  }
}

function readSrv(reader: MessageReader): SrvRdata {
  return {
    kind: "srv",
    priority: reader.uint16("PRIORITY"),
    weight: reader.uint16("WEIGHT"),
    port: reader.uint16("PORT"),
    // Compressed targets are against RFC 2782, but servers send them: accepted here, never written (RFC 3597 section 4).
    target: reader.name("TARGET"),
  };
}

function readSoa(reader: MessageReader): SoaRdata {
  return {
    kind: "soa",
    mname: reader.name("MNAME"),
    rname: reader.name("RNAME"),
    serial: reader.uint32("SERIAL"),
    refresh: reader.uint32("REFRESH"),
    retry: reader.uint32("RETRY"),
    expire: reader.uint32("EXPIRE"),
    minimum: reader.uint32("MINIMUM"),
  };
}

function readStrings(reader: MessageReader, rrtype: number): StringsRdata {
  const start = reader.at;
  const strings: Uint8Array[] = [];
  while (reader.remaining > 0) {
    strings.push(reader.octets(reader.uint8("a character-string"), "a character-string"));
  }
  if (!hasAcceptedCount(rrtype, strings.length)) {
    reader.fail(start, `${strings.length} character-strings are not what the type holds`);
  }
  return { kind: "strings", strings };
}

/** HINFO is CPU and OS, TXT any number but none (RFC 1035 sections 3.3.2 and 3.3.14). */
function hasAcceptedCount(rrtype: number, count: number): boolean {
  return rrtype === TYPE_HINFO ? count === 2 : count > 0;
}

function readOptions(reader: MessageReader): OptRdata {
  const options: EdnsOption[] = [];
  while (reader.remaining > 0) {
    const code = reader.uint16("OPTION-CODE");
    options.push({ code, data: reader.octets(reader.uint16("OPTION-LENGTH"), "an EDNS option") });
  }
  return { kind: "opt", options };
}

/**
 * Writes RDLENGTH and RDATA. Names are compressed only in types of RFC 1035 (RFC 3597 section 4): resolvers reject an SRV with
 * a compressed target.
 *
 * @throws {RangeError} When the RDATA is not what the record's type holds.
 */
export function writeRdata(writer: MessageWriter, record: ResourceRecord): void {
  const { rrtype, rrclass, rdata } = record;
  if (rdata.kind !== "opaque" && rdata.kind !== rdataKind(rrtype, rrclass)) {
    throw new RangeError(`Cannot write "${rdata.kind}" RDATA as type ${rrtype} of class ${rrclass}`);
  }
  writer.withLength(() => writeKind(writer, rrtype, rdata));
}

function writeKind(writer: MessageWriter, rrtype: number, rdata: Rdata): void {
  switch (rdata.kind) {
    case "address":
      return writeAddress(writer, rrtype, rdata.address);
    case "name":
      return writer.compressedName(rdata.name);
    case "mx":
      writer.uint16(rdata.preference);
      return writer.compressedName(rdata.exchange);
    case "srv":
      writer.uint16(rdata.priority);
      writer.uint16(rdata.weight);
      writer.uint16(rdata.port);
      return writer.name(rdata.target);
    case "soa":
      return writeSoa(writer, rdata);
    case "strings":
      return writeStrings(writer, rrtype, rdata.strings);
    case "opt":
      return writeOptions(writer, rdata.options);
    case "opaque":
      return writer.octets(rdata.octets);
  }
}

function writeAddress(writer: MessageWriter, rrtype: number, address: Uint8Array): void {
  if (address.length !== addressOctets(rrtype)) {
    throw new RangeError(
      `Cannot write ${address.length} octets as the address of a record of type ${rrtype}`,
    );
  }
  writer.octets(address);
}

function writeSoa(writer: MessageWriter, rdata: SoaRdata): void {
  writer.compressedName(rdata.mname);
  writer.compressedName(rdata.rname);
  writer.uint32(rdata.serial);
  writer.uint32(rdata.refresh);
  writer.uint32(rdata.retry);
  writer.uint32(rdata.expire);
  writer.uint32(rdata.minimum);
}

function writeStrings(writer: MessageWriter, rrtype: number, strings: readonly Uint8Array[]): void {
  if (!hasAcceptedCount(rrtype, strings.length)) {
    throw new RangeError(`Cannot write ${strings.length} character-strings as RDATA of type ${rrtype}`);
  }
  for (const string of strings) {
    writer.uint8(string.length);
    writer.octets(string);
  }
}

function writeOptions(writer: MessageWriter, options: readonly EdnsOption[]): void {
  for (const option of options) {
    writer.uint16(option.code);
    writer.uint16(option.data.length);
    writer.octets(option.data);
  }
}
