import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { RecordBatch } from "../../src/model/record-batch.ts";
import { JsonItems } from "../../src/sources/kubernetes/json-items.ts";
import { JsonLines } from "../../src/sources/kubernetes/json-lines.ts";
import {
  identify,
  projectEndpointSlice,
  projectNamespace,
  projectService,
} from "../../src/sources/kubernetes/projection.ts";
import { parseWatchEvent } from "../../src/sources/kubernetes/watch-event.ts";
import { SEEDED } from "./dns-arbitraries.ts";

const PROJECTIONS = [projectNamespace, projectService, projectEndpointSlice];

/** Field names that are read, among others, so that random objects reach every branch. */
const FIELDS = [
  ..."metadata name namespace labels spec type clusterIP clusterIPs externalName ports port protocol".split(
    " ",
  ),
  ..."endpoints addresses hostname conditions ready addressType resourceVersion annotations object kind".split(
    " ",
  ),
  "kubernetes.io/service-name",
  "__proto__",
  "constructor",
  "toString",
];
const VALUES = [
  ..."None ClusterIP ExternalName IPv4 IPv6 FQDN TCP 10.0.0.1 fd00::1 shop web a.b ADDED BOOKMARK".split(" "),
  "",
  "\u0000",
  "x".repeat(300),
];

const json: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.oneof(
      fc.constantFrom(...VALUES),
      fc.constantFrom(null, true, false, 0, -1, 80, 1e308, 0.5),
      fc.string(),
    ),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...FIELDS), fc.string()), tie("value"), {
      maxKeys: 6,
      noNullPrototype: true,
    }),
  ),
})).value;

/** An object of the API in which any field may be anything. */
const almostObject = fc
  .record({
    metadata: fc.record({
      name: fc.oneof(fc.constant("web"), json),
      namespace: fc.oneof(fc.constant("shop"), json),
      labels: fc.oneof(fc.constant({ "kubernetes.io/service-name": "db" }), json),
    }),
    spec: fc.oneof(
      fc.record(
        { type: json, clusterIP: json, clusterIPs: json, externalName: json, ports: json },
        { requiredKeys: [] },
      ),
      json,
    ),
    addressType: fc.constantFrom("IPv4", "IPv6", "FQDN", 7),
    ports: fc.oneof(
      fc.array(fc.record({ name: json, port: json, protocol: json }, { requiredKeys: [] })),
      json,
    ),
    endpoints: fc.oneof(
      fc.array(
        fc.record(
          {
            addresses: fc.oneof(fc.array(fc.constantFrom("10.0.0.1", "fd00::1", "x", null)), json),
            hostname: json,
            conditions: json,
          },
          { requiredKeys: [] },
        ),
      ),
      json,
    ),
  })
  .map((object) => JSON.parse(JSON.stringify(object)) as unknown);

test("projections throw on no JSON value, and every record packs and unpacks as itself", () => {
  fc.assert(
    fc.property(fc.oneof(almostObject, json), (object) => {
      identify(object);
      for (const project of PROJECTIONS) {
        const projection = project(object);
        if (projection.outcome !== "record") {
          assert.ok(projection.reason.length > 0 && projection.reason.length < 500);
          continue;
        }
        const batch = new RecordBatch();
        batch.append(projection.record);
        assert.deepEqual([...batch.records()], [projection.record]);
      }
    }),
    { ...SEEDED, numRuns: 3000 },
  );
});

test("projections survive nesting of any depth, and names of methods as keys", () => {
  const deep = `${'{"spec":['.repeat(50_000)}1${"]}".repeat(50_000)}`;
  const texts = [
    deep,
    `{"metadata":${deep}}`,
    `{"metadata":{"name":"web","namespace":"shop","labels":${deep}},"spec":{"type":${deep},"clusterIPs":${deep}},"endpoints":[${deep}],"addressType":"IPv4"}`,
    '{"__proto__":{"metadata":{"name":"web","namespace":"shop"}}}',
    '{"metadata":{"__proto__":{"name":"web"},"name":"web","namespace":"shop","labels":{"__proto__":null}}}',
    '{"metadata":{"name":"constructor","namespace":"__proto__"}}',
  ];
  for (const text of texts) {
    const object: unknown = JSON.parse(text);
    for (const project of PROJECTIONS) project(object);
    identify(object);
    parseWatchEvent(`{"type":"ADDED","object":${text}}`, "Service", 0);
  }
  assert.equal(projectService(JSON.parse(texts[3])).outcome, "rejected");
});

test("parseWatchEvent() throws on no line", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        json.map((value) => JSON.stringify(value)),
      ),
      (line) => {
        parseWatchEvent(line, "Service", 0);
        parseWatchEvent(`{"type":"ADDED","object":${line}}`, "Service", 0);
        parseWatchEvent(`{"type":"ERROR","object":${line}}`, "Service", 0);
      },
    ),
    { ...SEEDED, numRuns: 1000 },
  );
});

/** Where to cut a byte sequence; every cut is taken modulo its length. */
const cuts = fc.array(fc.nat(1_000_000), { maxLength: 12 });

function chunksOf(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const ends = [...new Set(at.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.slice(index === 0 ? 0 : ends[index - 1], end));
}

test("JsonLines gives the same lines however the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(json.map((value) => JSON.stringify(value))), cuts, (lines, at) => {
      const found: string[] = [];
      const reader = new JsonLines((line) => void found.push(line));
      for (const chunk of chunksOf(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")), at)) {
        assert.equal(reader.push(chunk), undefined);
        chunk.fill(0);
      }
      assert.equal(reader.finish(), undefined);
      assert.deepEqual(found, lines);
    }),
    { ...SEEDED, numRuns: 500 },
  );
});

const items = fc.array(fc.dictionary(fc.string(), json, { maxKeys: 4, noNullPrototype: true }), {
  maxLength: 6,
});

test("JsonItems gives what JSON.parse gives, however the bytes are cut, in whatever order the fields come", () => {
  fc.assert(
    fc.property(items, json, fc.nat(2), fc.boolean(), cuts, (given, other, place, isIndented, at) => {
      const fields: [string, unknown][] = [
        ["kind", "ServiceList"],
        ["other", other],
        ["metadata", { resourceVersion: "7", continue: "c" }],
      ];
      fields.splice(place, 0, ["items", given]);
      const text = JSON.stringify(Object.fromEntries(fields), undefined, isIndented ? 2 : 0);
      const found: unknown[] = [];
      const scanner = new JsonItems({ onItem: (item) => void found.push(item), onKind: () => undefined });
      for (const chunk of chunksOf(new TextEncoder().encode(text), at)) {
        assert.equal(scanner.push(chunk), undefined);
        chunk.fill(0);
      }
      assert.equal(scanner.finish(), undefined);
      assert.deepEqual(found, (JSON.parse(text) as { items: unknown[] }).items);
      assert.deepEqual(scanner.header, { kind: "ServiceList", resourceVersion: "7", continueToken: "c" });
    }),
    { ...SEEDED, numRuns: 500 },
  );
});

test("JsonItems never throws, and never takes a list that was cut for a whole one", () => {
  const list = '{"kind":"ServiceList","metadata":{"resourceVersion":"7"},"items":[{"a":"\\"]"},{"b":[{}]}]}';
  fc.assert(
    fc.property(fc.nat(list.length - 1), fc.oneof(fc.string(), fc.uint8Array()), cuts, (end, tail, at) => {
      const head = new TextEncoder().encode(list.slice(0, end));
      const rest = typeof tail === "string" ? new TextEncoder().encode(tail) : tail;
      for (const bytes of [head, Uint8Array.from([...head, ...rest])]) {
        const scanner = new JsonItems({ onItem: () => {}, onKind: () => undefined });
        let problem: string | undefined;
        for (const chunk of chunksOf(bytes, at)) problem ??= scanner.push(chunk);
        problem ??= scanner.finish();
        if (bytes === head) assert.notEqual(problem, undefined);
      }
    }),
    { ...SEEDED, numRuns: 1000 },
  );
});
