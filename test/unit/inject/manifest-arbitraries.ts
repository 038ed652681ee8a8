import * as fc from "fast-check";

/** Manifests as people and programs write them: the same objects in many spellings. */

interface Pick {
  /** A whole number from 0, below the limit. */
  (limit: number): number;
}

interface Spelling {
  readonly pick: Pick;
  readonly step: number;
  readonly indentsLists: boolean;
  /** Blank lines, comments, brackets and quotes here and there. */
  readonly isByHand: boolean;
}

const EMPTY = Symbol("a key without a value");

const nameserver = fc.constantFrom("1.1.1.1", "10.96.0.10", "169.254.53.53", "fd00::53", "9.9.9.9");
const option = fc.constantFrom<object>(
  { name: "ndots", value: "2" },
  { name: "timeout", value: "3" },
  { name: "use-vc" },
);
const empties = fc.constantFrom<unknown>(EMPTY, null, {});
const emptyLists = fc.constantFrom<unknown>(EMPTY, null, []);

const dnsConfig = record({
  nameservers: fc.oneof(emptyLists, fc.array(nameserver, { maxLength: 3 })),
  searches: fc.oneof(
    emptyLists,
    fc.array(fc.constantFrom("corp.example", "svc.cluster.local"), { maxLength: 2 }),
  ),
  options: fc.oneof(emptyLists, fc.uniqueArray(option, { maxLength: 3 })),
});

const script = "set -e\n# no comment\n  deeper:\n\necho done\n";
const container = fc.constantFrom<object>(
  { name: "web", image: "example.com/web:1", args: ["sh", "-c", script] },
  {
    name: "app",
    image: "app",
    env: [
      { name: "A", value: "yes" },
      { name: "B", value: '"#' },
    ],
  },
  { name: "holdfast", image: "other" },
);

const podSpec = record(
  {
    dnsPolicy: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom<unknown>("ClusterFirst", "ClusterFirstWithHostNet") },
      { weight: 1, arbitrary: fc.constantFrom<unknown>("Default", "None", EMPTY, null) },
    ),
    dnsConfig: fc.oneof({ weight: 3, arbitrary: dnsConfig }, { weight: 1, arbitrary: empties }),
    hostNetwork: fc.constantFrom(false, true),
    nodeSelector: fc.constantFrom({ "kubernetes.io/os": "linux" }, { "kubernetes.io/os": "windows" }),
    initContainers: fc.oneof(
      emptyLists,
      fc.constant([{ name: "init", image: "x", command: ["sh", "-c", script] }]),
    ),
    volumes: fc.oneof(
      emptyLists,
      fc.constantFrom([{ name: "tmp", emptyDir: {} }], [{ name: "tmp", script }]),
    ),
    restartPolicy: fc.constant("Always"),
  },
  { containers: fc.uniqueArray(container, { minLength: 1, maxLength: 2 }) },
);

const metadata = record({
  labels: fc.oneof(empties, fc.constantFrom({ app: "web" }, { app: "web", "holdfast/inject": "disabled" })),
  annotations: fc.oneof(empties, fc.constant({ "example.com/note": "multi\nline # text\n" })),
});

const template = fc.record(
  { metadata: fc.oneof(empties, metadata), spec: podSpec },
  { requiredKeys: ["spec"] },
);

const named = fc.constantFrom<object>({ name: "web", namespace: "shop" }, { name: "web" });

const workload: fc.Arbitrary<object> = fc.oneof(
  fc.record({ metadata: named, spec: podSpec }).map((pod) => ({ apiVersion: "v1", kind: "Pod", ...pod })),
  fc
    .record({ kind: fc.constantFrom("Deployment", "DaemonSet"), metadata: named, template })
    .map(({ kind, metadata, template }) => ({
      apiVersion: "apps/v1",
      kind,
      metadata,
      spec: { replicas: 1, template },
    })),
  fc.record({ metadata: named, template }).map(({ metadata, template }) => {
    const spec = { schedule: "* * * * *", jobTemplate: { spec: { template } } };
    return { apiVersion: "batch/v1", kind: "CronJob", metadata, spec };
  }),
  named.map((metadata) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata,
    data: { script, dnsConfig: "x" },
  })),
);

const document: fc.Arbitrary<object> = fc.oneof(
  { weight: 4, arbitrary: workload },
  {
    weight: 1,
    arbitrary: fc
      .array(workload, { maxLength: 3 })
      .map((items) => ({ apiVersion: "v1", kind: "List", items, metadata: {} })),
  },
);

/** Texts of one document or more, in YAML or JSON. */
export const manifestTexts: fc.Arbitrary<string> = fc
  .record({
    documents: fc.array(document, { minLength: 1, maxLength: 3 }),
    form: fc.constantFrom("by hand", "by hand", "by a program", "json", "pretty json"),
    choices: fc.array(fc.nat(997), { minLength: 1, maxLength: 60 }),
    lineBreak: fc.constantFrom("\n", "\n", "\r\n"),
    endsLine: fc.boolean(),
  })
  .map(({ documents, form, choices, lineBreak, endsLine }) => {
    const texts = documents.map((value) => spell(value, form, choices));
    const text = texts.join("---\n").replaceAll("\n", lineBreak);
    return endsLine ? text : text.replace(/\r?\n$/, "");
  });

function spell(value: object, form: string, choices: readonly number[]): string {
  if (form.endsWith("json")) return `${JSON.stringify(plain(value), undefined, form === "json" ? 0 : 4)}\n`;
  let at = 0;
  const pick: Pick = (limit) => choices[at++ % choices.length] % limit;
  const isByHand = form === "by hand";
  const spelling = {
    pick,
    step: isByHand ? 2 + pick(3) : 2,
    indentsLists: isByHand && pick(2) === 0,
    isByHand,
  };
  const head = isByHand && pick(3) === 0 ? "# Source: x.yaml\n" : "";
  return `${head}${spellBlock(value, spelling, 0).join("\n")}\n`;
}

/** Lines without the indentation of the collection itself. */
function spellBlock(value: object, spelling: Spelling, depth: number): readonly string[] {
  const lines = Array.isArray(value)
    ? value.flatMap((item) => {
        const [first, ...rest] = spellItem(item, spelling, depth);
        return [...noise(spelling), `- ${first}`, ...rest.map((line) => (line === "" ? "" : `  ${line}`))];
      })
    : Object.entries(value).flatMap(([key, inner]) => [
        ...noise(spelling),
        ...spellPair(key, inner, spelling, depth),
      ]);
  return lines;
}

function spellItem(item: unknown, spelling: Spelling, depth: number): readonly string[] {
  if (isFilled(item) && !isBracketed(spelling, depth)) {
    // Nothing may stand between a dash and the first key.
    const [first, ...rest] = Object.entries(item);
    const quiet = { ...spelling, isByHand: false };
    return [
      ...spellPair(first[0], first[1], quiet, depth + 1),
      ...(rest.length === 0 ? [] : spellBlock(Object.fromEntries(rest), spelling, depth + 1)),
    ];
  }
  return spellInline(item, spelling, depth);
}

function spellPair(key: string, value: unknown, spelling: Spelling, depth: number): readonly string[] {
  if (value === EMPTY) return [`${key}:${remark(spelling)}`];
  if (!isFilled(value) || (depth > 2 && isBracketed(spelling, depth))) {
    const [first, ...rest] = spellInline(value, spelling, depth);
    const indent = " ".repeat(spelling.step);
    return [`${key}: ${first}`, ...rest.map((line) => (line === "" ? "" : indent + line))];
  }
  const indent = Array.isArray(value) && !spelling.indentsLists ? 0 : spelling.step;
  const lines = spellBlock(value, spelling, depth + 1);
  return [
    `${key}:${remark(spelling)}`,
    ...lines.map((line) => (line === "" ? "" : " ".repeat(indent) + line)),
  ];
}

function spellInline(value: unknown, spelling: Spelling, depth: number): readonly string[] {
  if (value === EMPTY) return [remark(spelling).trimStart() || "~"];
  if (value === null) return [spelling.isByHand && spelling.pick(2) === 0 ? `~${remark(spelling)}` : "null"];
  if (typeof value === "string" && value.includes("\n") && depth < 20)
    return ["|", ...value.trimEnd().split("\n")];
  if (typeof value === "object") return [spellFlow(value, spelling) + remark(spelling)];
  return [spellScalar(value, spelling) + remark(spelling)];
}

function spellFlow(value: unknown, spelling: Spelling): string {
  if (value === EMPTY || value === null) return "null";
  if (typeof value !== "object") return spellScalar(value, { ...spelling, isByHand: true });
  const blank = spelling.isByHand && spelling.pick(2) === 0 ? " " : "";
  const inner = Array.isArray(value)
    ? value.map((item) => spellFlow(item, spelling))
    : Object.entries(value).map(([key, item]) => `${key}: ${spellFlow(item, spelling)}`);
  const text = blank + inner.join(spelling.isByHand && spelling.pick(3) === 0 ? " , " : ", ") + blank;
  const comma = inner.length > 0 && spelling.isByHand && spelling.pick(5) === 0 ? "," : "";
  return Array.isArray(value) ? `[${text}${comma}]` : `{${text}${comma}}`;
}

function spellScalar(value: unknown, { pick, isByHand }: Spelling): string {
  if (typeof value !== "string") return String(value);
  const quote = isByHand ? pick(3) : 0;
  if (quote === 1 || !/^[A-Za-z][\w./:-]*$/.test(value) || value === "yes") return JSON.stringify(value);
  return quote === 2 ? `'${value}'` : value;
}

function noise({ pick, isByHand }: Spelling): readonly string[] {
  if (!isByHand) return [];
  return [[], [], [], [""], ["# about the next"], ["", "# one", "# two"]][pick(6)];
}

function remark({ pick, isByHand }: Spelling): string {
  return isByHand && pick(4) === 0 ? "  # why" : "";
}

function isBracketed({ pick, isByHand }: Spelling, depth: number): boolean {
  return isByHand && pick(depth > 4 ? 2 : 4) === 0;
}

function isFilled(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

/** JSON has no keys without a value. */
function plain(value: unknown): unknown {
  if (value === EMPTY) return null;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

/** Any of the first fields, all of the second, in any order. */
function record(
  maybe: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  always: Readonly<Record<string, fc.Arbitrary<unknown>>> = {},
): fc.Arbitrary<object> {
  return fc
    .tuple(
      fc.record({ ...maybe, ...always }, { requiredKeys: Object.keys(always) }),
      fc.array(fc.nat(997), { minLength: 12, maxLength: 12 }),
    )
    .map(([fields, order]) => {
      const entries = Object.entries(fields).map(([key, value], index) => ({
        key,
        value,
        rank: order[index],
      }));
      entries.sort((left, right) => left.rank - right.rank);
      return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
    });
}
