/** The packets of other projects in `test/fixtures/corpora` (origin and licences in the README there). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "../../fixtures/corpora");
const COLLECTIONS = [
  "bind9/dns_message_parse.in",
  "bind9/dns_message_checksig.in",
  "c-ares/fuzzinput",
  "c-ares/fuzznames",
];

export interface CorpusFile {
  /** Path below the folder of corpora. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export function readCorpora(): CorpusFile[] {
  return COLLECTIONS.flatMap((collection) =>
    readdirSync(join(FOLDER, collection)).map((file) => ({
      name: `${collection}/${file}`,
      bytes: new Uint8Array(readFileSync(join(FOLDER, collection, file))),
    })),
  );
}

/** A copy with QR cleared, so that `parseQuery` reads on. */
export function asQuery(bytes: Uint8Array): Uint8Array {
  const query = bytes.slice();
  if (query.length > 2) query[2] &= 0x7f;
  return query;
}
