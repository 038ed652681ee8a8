/**
 * Whole messages as objects, for everything that is not the answer path: the CLI, replies of upstreams, tests.
 * (`query.ts` and `compose.ts` are the answer path: no objects.)
 */
import { HEADER_OCTETS, TYPE_OPT } from "./constants.ts";
import { MessageReader, type MessageError } from "./message-reader.ts";
import { MessageWriter } from "./message-writer.ts";
import { readRdata, writeRdata } from "./rdata.ts";
import type { ResourceRecord } from "./record.ts";

export interface Question {
  /** In wire format, letter case as sent. */
  readonly qname: Uint8Array;
  readonly qtype: number;
  readonly qclass: number;
}

export interface Message {
  readonly id: number;
  /** The raw second word of the header, OPCODE and the lower four bits of RCODE included (`messageRcode` gives the whole). */
  readonly flags: number;
  readonly questions: readonly Question[];
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  /** With the OPT record, where there is one. */
  readonly additionals: readonly ResourceRecord[];
}

export function isMessageError(result: Message | MessageError): result is MessageError {
  return "reason" in result;
}

/**
 * Reads a message. Octets behind the last counted record are ignored, as `parseQuery` does.
 *
 * Never throws. Time and memory are linear in the size of the message, whatever its counts and pointers say.
 */
export function parseMessage(bytes: Uint8Array): Message | MessageError {
  if (bytes.length < HEADER_OCTETS) return { offset: bytes.length, reason: "a header takes 12 octets" };
  const reader = new MessageReader(bytes);
  const id = reader.uint16("ID");
  const flags = reader.uint16("the header");
  const counts = [0, 1, 2, 3].map(() => reader.uint16("the header"));
  const message: Message = {
    id,
    flags,
    questions: readQuestions(reader, counts[0]),
    answers: readRecords(reader, counts[1]),
    authorities: readRecords(reader, counts[2]),
    additionals: readRecords(reader, counts[3]),
  };
  checkOpt(reader, message);
  return reader.problem ?? message;
}

function readQuestions(reader: MessageReader, count: number): Question[] {
  const questions: Question[] = [];
  while (questions.length < count && !reader.hasFailed) {
    questions.push({
      qname: reader.name("QNAME"),
      qtype: reader.uint16("QTYPE"),
      qclass: reader.uint16("QCLASS"),
    });
  }
  return questions;
}

function readRecords(reader: MessageReader, count: number): ResourceRecord[] {
  const records: ResourceRecord[] = [];
  while (records.length < count && !reader.hasFailed) records.push(readRecord(reader));
  return records;
}

function readRecord(reader: MessageReader): ResourceRecord {
  const start = reader.at;
  const owner = reader.name("an owner name");
  const rrtype = reader.uint16("TYPE");
  const rrclass = reader.uint16("CLASS");
  const ttl = reader.uint32("TTL");
  const rdata = readRdata(reader, rrtype, rrclass, reader.uint16("RDLENGTH"));
  if (rrtype === TYPE_OPT && owner.length > 1)
    reader.fail(start, "the owner of the OPT record is not the root");
  return { owner, rrtype, rrclass, ttl, rdata };
}

function isOpt(record: ResourceRecord): boolean {
  return record.rrtype === TYPE_OPT;
}

/** At most one OPT, and in the additional section (RFC 6891 section 6.1.1). */
function checkOpt(reader: MessageReader, message: Message): void {
  if (message.answers.some(isOpt) || message.authorities.some(isOpt)) {
    reader.fail(HEADER_OCTETS, "there is an OPT record outside the additional section");
  }
  if (message.additionals.filter(isOpt).length > 1) {
    reader.fail(HEADER_OCTETS, "there is more than one OPT record");
  }
}

/**
 * The message in wire format. Owner names are compressed, names in RDATA only where RFC 3597 section 4 allows it; the case of
 * every name is kept.
 *
 * @throws {RangeError} When a value does not fit its field, or the message takes more than 65535 octets.
 */
export function composeMessage(message: Message): Uint8Array {
  const writer = new MessageWriter();
  writer.uint16(message.id);
  writer.uint16(message.flags);
  writer.uint16(message.questions.length);
  const sections = [message.answers, message.authorities, message.additionals];
  for (const section of sections) writer.uint16(section.length);
  for (const { qname, qtype, qclass } of message.questions) {
    writer.compressedName(qname);
    writer.uint16(qtype);
    writer.uint16(qclass);
  }
  for (const section of sections) for (const record of section) writeRecord(writer, record);
  return writer.finish();
}

function writeRecord(writer: MessageWriter, record: ResourceRecord): void {
  writer.compressedName(record.owner);
  writer.uint16(record.rrtype);
  writer.uint16(record.rrclass);
  writer.uint32(record.ttl);
  writeRdata(writer, record);
}
