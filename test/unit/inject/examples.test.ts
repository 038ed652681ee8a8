import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { inject } from "../../../src/cli/inject.ts";

const DIRECTORY = join(import.meta.dirname, "../../../examples/injection");
const FILES = readdirSync(DIRECTORY);

interface Pod {
  readonly metadata: object;
  readonly spec: {
    readonly dnsPolicy?: string;
    readonly dnsConfig?: object;
    readonly [field: string]: unknown;
  };
}

function read(file: string): string {
  return readFileSync(join(DIRECTORY, file), "utf8");
}

async function injected(pod: object, args: readonly string[]): Promise<Pod> {
  const texts: string[] = [];
  const console = { args, env: {}, out: (text: string) => void texts.push(text), err: assert.fail };
  await inject(console, "1.2.3", () => Promise.resolve(JSON.stringify(pod)));
  return JSON.parse(texts.join("")) as Pod;
}

suite("examples/injection", () => {
  for (const file of FILES) {
    test(`${file} is YAML`, () => {
      for (const { errors, warnings } of parseAllDocuments(read(file)))
        assert.deepEqual([errors, warnings], [[], []]);
    });
  }

  for (const [file, args] of [
    ["pod-fallback.yaml", []],
    ["pod-primary.yaml", ["--role=primary", "--cluster-dns=10.96.0.10"]],
  ] as const) {
    test(`${file} is what inject writes`, async () => {
      const pod = parse(read(file)) as Pod;
      const { dnsPolicy: _, dnsConfig: __, ...spec } = pod.spec;
      assert.deepEqual((await injected({ ...pod, spec }, args)).spec, pod.spec);
    });
  }

  test("kyverno-values.yaml has values of the chart", () => {
    const values = parse(read("kyverno-values.yaml")) as { injection: { policy: string } };
    const schema = readFileSync(join(DIRECTORY, "../../charts/holdfast/values.schema.json"), "utf8");
    const { properties } = JSON.parse(schema) as {
      properties: { injection: { properties: { policy: { enum: readonly string[] } } } };
    };
    assert.deepEqual(Object.keys(values), ["injection"]);
    assert.ok(properties.injection.properties.policy.enum.includes(values.injection.policy));
  });

  test("sidecar-rights.yaml gives the right to read, and no other", () => {
    const [role] = parseAllDocuments(read("sidecar-rights.yaml"));
    const { rules } = role.toJS() as { rules: { resources: string[]; verbs: string[] }[] };
    assert.deepEqual(rules.flatMap(({ resources }) => resources).sort(), [
      "endpointslices",
      "namespaces",
      "services",
    ]);
    for (const { verbs } of rules) assert.deepEqual(verbs, ["list", "watch"]);
  });
});
