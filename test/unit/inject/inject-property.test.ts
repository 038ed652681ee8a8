import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseAllDocuments, stringify } from "yaml";
import { injectManifests } from "../../../src/inject/inject-manifests.ts";
import type { Addition, InjectSettings } from "../../../src/inject/injection-plan.ts";
import { planInjection, RECORD_ANNOTATION } from "../../../src/inject/injection-plan.ts";
import { uninjectManifests } from "../../../src/inject/uninject-manifests.ts";
import { SEEDED } from "../../property/dns-arbitraries.ts";
import { manifestTexts } from "./manifest-arbitraries.ts";

const runs = { ...SEEDED, numRuns: 300 };

const COMMON = {
  clusterDns: "10.96.0.10",
  clusterDomain: "cluster.local",
  namespace: "default",
  timeoutSeconds: 1,
  attempts: 2,
  sidecar: undefined,
};
const SIDECAR = {
  container: { name: "holdfast", image: "holdfast:1", restartPolicy: "Always", args: ["agent"] },
  volumes: [{ name: "holdfast-data", emptyDir: {} }],
};

const ANY_RECORD = "what was added";
const TEMPLATE_PATHS: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  Deployment: ["spec", "template"],
  DaemonSet: ["spec", "template"],
  CronJob: ["spec", "jobTemplate", "spec", "template"],
};

const settings = fc.constantFrom<InjectSettings>(
  { ...COMMON, role: "fallback", addresses: ["169.254.53.53"] },
  { ...COMMON, role: "fallback", addresses: ["169.254.53.53", "fd00:53::53"] },
  { ...COMMON, role: "primary", addresses: ["169.254.53.53"] },
  { ...COMMON, role: "primary", addresses: ["127.0.0.1"], sidecar: SIDECAR },
);

test("uninject gives back what inject was given, to the octet", () => {
  fc.assert(
    fc.property(manifestTexts, settings, (text, settings) => {
      assert.equal(uninjectManifests(injectManifests(text, settings).text).text, text);
    }),
    runs,
  );
});

test("a second inject changes nothing", () => {
  fc.assert(
    fc.property(manifestTexts, settings, settings, (text, first, second) => {
      const once = injectManifests(text, first).text;
      // What had no room for one may have room for the other.
      const again = first === second || injectManifests(text, first).skipped.length === 0;
      if (again) assert.equal(injectManifests(once, second).text, once);
    }),
    runs,
  );
});

test("inject gives the objects that the plan asks for", () => {
  fc.assert(
    fc.property(manifestTexts, settings, (text, settings) => {
      const want = parseAllDocuments(text).map((document) => injected(document.toJS(), settings));
      assert.deepEqual(meaning(injectManifests(text, settings).text).map(withoutRecord), want);
    }),
    runs,
  );
});

test("inject keeps every comment and every blank line, and their order", () => {
  fc.assert(
    fc.property(manifestTexts, settings, (text, settings) => {
      assert.deepEqual(remarks(injectManifests(text, settings).text), remarks(text));
    }),
    runs,
  );
});

test("uninject after another program wrote the manifests gives objects that mean the same", () => {
  fc.assert(
    fc.property(manifestTexts, settings, (text, settings) => {
      const rewritten = meaning(injectManifests(text, settings).text).map((value) =>
        stringify(value, { sortMapEntries: true, indentSeq: false }),
      );
      assert.deepEqual(
        meaning(uninjectManifests(rewritten.join("---\n")).text).map(withoutEmpty),
        meaning(text).map(withoutEmpty),
      );
    }),
    runs,
  );
});

function remarks(text: string): readonly string[] {
  return text.split(/\r?\n/).filter((line) => /^\s*(?:#|$)/.test(line));
}

function meaning(text: string): readonly unknown[] {
  return parseAllDocuments(text).map((document) => document.toJS() as unknown);
}

/** What the API server makes no difference between. */
function withoutEmpty(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutEmpty);
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutEmpty(inner)] as const);
  return Object.fromEntries(entries.filter(([, inner]) => inner !== null));
}

/** The reference: data in, data out. */
function injected(value: unknown, settings: InjectSettings): unknown {
  if (!isObject(value)) return value;
  if (value["kind"] === "List" && Array.isArray(value["items"]))
    return { ...value, items: value["items"].map((item) => injected(item, settings)) };
  const path = TEMPLATE_PATHS[String(value["kind"])];
  if (path === undefined) return value;
  const { namespace } = value["metadata"] as { namespace?: string };
  return changeAt(value, path, (template) => {
    const plan = planInjection(template, namespace, settings);
    if (!("additions" in plan)) return template;
    const record: Addition = { type: "text", text: ANY_RECORD };
    const annotations: Addition = { type: "map", entries: { [RECORD_ANNOTATION]: record } };
    const metadata: Addition = { type: "map", entries: { annotations } };
    return addTo(addTo(template, plan.additions), { type: "map", entries: { metadata } });
  });
}

function addTo(value: unknown, addition: Addition): unknown {
  if (addition.type === "text") return addition.text;
  if (addition.type === "list") {
    const own: readonly unknown[] = Array.isArray(value) ? value : [];
    return addition.at === "start" ? [...addition.items, ...own] : [...own, ...addition.items];
  }
  const own = isObject(value) ? value : {};
  const added = Object.entries(addition.entries).map(([key, inner]) => [key, addTo(own[key], inner)]);
  return { ...own, ...Object.fromEntries(added) };
}

function changeAt(value: unknown, path: readonly string[], change: (value: unknown) => unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  return isObject(value) ? { ...value, [key]: changeAt(value[key], rest, change) } : value;
}

function withoutRecord(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutRecord);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutRecord(inner)]);
  const copy = Object.fromEntries(entries) as Record<string, unknown>;
  return RECORD_ANNOTATION in copy ? { ...copy, [RECORD_ANNOTATION]: ANY_RECORD } : copy;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
