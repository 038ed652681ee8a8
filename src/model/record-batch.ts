import { ByteReader, damaged } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { checkRecord, packRecord, unpackRecord } from "./packed-record.ts";
import type { ObjectKey } from "./packed-record.ts";
import type { ModelRecord } from "./records.ts";

/**
 * A list of records in packed form: what a source collects while it parses, and what a snapshot holds.
 * Packed, because 150,000 endpoints as objects cost 40 MB for the seconds of a relist.
 *
 * Layout: for each record its length as varint, then its octets (`packed-record.ts`).
 */
export class RecordBatch {
  #writer: ByteWriter;
  readonly #scratch = new ByteWriter();
  #count = 0;
  readonly #kept: ObjectKey[] = [];

  /** @param capacityBytes  Room to start with; exact where the size is known, so that nothing is copied to grow. */
  constructor(capacityBytes = 1024) {
    this.#writer = new ByteWriter(capacityBytes);
  }

  /**
   * Takes over `bytes` as they are, without a copy: they must not change afterwards.
   * @throws RangeError if they are not a sequence of whole records.
   */
  static fromBytes(bytes: Uint8Array<ArrayBuffer>): RecordBatch {
    let count = 0;
    for (const { at, end } of spansOf(bytes, bytes.length)) {
      checkRecord(bytes, at, end);
      count++;
    }
    return RecordBatch.fromTrustedBytes(bytes, count);
  }

  /** The same for octets that a batch of this version gave (`toBytes`) and that are known to be unchanged. */
  static fromTrustedBytes(bytes: Uint8Array<ArrayBuffer>, count: number): RecordBatch {
    const batch = new RecordBatch(0);
    batch.#writer.bytes = bytes;
    batch.#writer.length = bytes.length;
    batch.#count = count;
    return batch;
  }

  get count(): number {
    return this.#count;
  }

  /** Objects that are listed without their content. */
  get kept(): readonly ObjectKey[] {
    return this.#kept;
  }

  get sizeBytes(): number {
    return this.#writer.length;
  }

  /** @throws RangeError if the record cannot be packed (`packRecord`); the batch is as before. */
  append(record: ModelRecord): void {
    this.#scratch.length = 0;
    packRecord(record, this.#scratch);
    this.appendPacked(this.#scratch.bytes, 0, this.#scratch.length);
  }

  /**
   * Says that the list has this object, but that it was not understood: whatever is known of it stays as it is. Not part of
   * the bytes. `namespace` is empty for a Namespace.
   */
  keep(namespace: string, name: string): void {
    this.#kept.push({ namespace, name });
  }

  /** Appends the packed record in `bytes[at..end)`, which is trusted. */
  appendPacked(bytes: Uint8Array, at: number, end: number): void {
    this.#writer.varint(end - at);
    this.#writer.append(bytes.subarray(at, end));
    this.#count++;
  }

  /** A view of what the batch holds, valid until the next `append`. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return this.#writer.bytes.subarray(0, this.#writer.length);
  }

  *records(): IterableIterator<ModelRecord> {
    const bytes = this.toBytes();
    for (const { at, end } of spansOf(bytes, bytes.length)) yield unpackRecord(bytes, at, end);
  }

  /** Where each record's octets are in `toBytes()`. The object is reused for every step. */
  spans(): IterableIterator<Readonly<Span>> {
    return spansOf(this.#writer.bytes, this.#writer.length);
  }
}

export interface Span {
  at: number;
  end: number;
}

function* spansOf(bytes: Uint8Array, length: number): IterableIterator<Readonly<Span>> {
  const reader = new ByteReader(bytes, 0, length);
  const span: Span = { at: 0, end: 0 };
  while (reader.at < length) {
    const size = reader.varint();
    if (size === 0) throw damaged(reader.at);
    span.at = reader.at;
    reader.skip(size);
    span.end = reader.at;
    yield span;
  }
}
