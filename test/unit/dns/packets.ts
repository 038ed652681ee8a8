/** Packets written octet by octet, without the composer under test, so that they can be as wrong as a test needs. */

/** Octets of hexadecimal text; white space is for the reader. */
export function hex(text: string): number[] {
  const digits = text.replaceAll(/\s/g, "");
  return Array.from({ length: digits.length / 2 }, (_, index) =>
    Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16),
  );
}

/** A name of ASCII labels, uncompressed: `wireName("www", "example", "com")`. */
export function wireName(...labels: readonly string[]): number[] {
  const octets: number[] = [];
  for (const label of labels) octets.push(label.length, ...new TextEncoder().encode(label));
  return [...octets, 0];
}

export function repeat<T>(times: number, value: T): T[] {
  return Array.from({ length: times }, () => value);
}

export function uint16(value: number): number[] {
  return [value >> 8, value & 0xff];
}

export interface PacketHeader {
  readonly id?: number;
  readonly flags?: number;
  /** QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT. */
  readonly counts?: readonly [number, number, number, number];
}

/** A header (ID 0x1234, RD, one question unless told otherwise) and whatever octets follow. */
export function packet(header: PacketHeader, ...parts: readonly (readonly number[])[]): Uint8Array {
  const { id = 0x1234, flags = 0x0100, counts = [1, 0, 0, 0] } = header;
  return Uint8Array.from([...uint16(id), ...uint16(flags), ...counts.flatMap(uint16), ...parts.flat()]);
}

/** www.example.com, A, IN. */
export const QUESTION: readonly number[] = [...wireName("www", "example", "com"), ...hex("0001 0001")];

/** An uncompressed or compressed owner, then TYPE, CLASS IN, TTL 5, RDLENGTH and RDATA. */
export function record(owner: readonly number[], rrtype: number, rdata: readonly number[]): number[] {
  return [...owner, ...uint16(rrtype), ...hex("0001 00000005"), ...uint16(rdata.length), ...rdata];
}

export interface OptParts {
  readonly owner?: readonly number[];
  readonly udpPayloadOctets?: number;
  readonly version?: number;
  readonly dnssecOk?: boolean;
  /** The RDATA, right or wrong. */
  readonly rdata?: readonly number[];
}

export function opt(parts: OptParts = {}): number[] {
  const { owner = [0], udpPayloadOctets = 1232, version = 0, dnssecOk = false, rdata = [] } = parts;
  const flags = dnssecOk ? 0x8000 : 0;
  const head = [...owner, 0, 41, ...uint16(udpPayloadOctets), 0, version];
  return [...head, ...uint16(flags), ...uint16(rdata.length), ...rdata];
}

export interface CountedOctets {
  readonly bytes: Uint8Array;
  /** Reads of single octets so far: how a test bounds the work of a parser without a stopwatch. */
  readonly reads: () => number;
}

/** The same octets, which count how often one of them is read. */
export function countReads(octets: Uint8Array): CountedOctets {
  let reads = 0;
  const bytes = new Proxy(octets, {
    get(target, key) {
      if (typeof key === "string" && /^\d+$/.test(key)) reads++;
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  return { bytes, reads: () => reads };
}
