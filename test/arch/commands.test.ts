import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { promisify } from "node:util";
import { startProcess, waitUntil, type ManagedProcess } from "../support/control-plane-process.ts";
import { documents, shellCommands } from "./markdown.ts";
import { ROOT } from "./source-imports.ts";

/**
 * Every command that a document shows is run here, against an agent with the example manifests, or stands in `ELSEWHERE` with
 * what runs it. A new command in a document without a row here fails.
 */

interface RunHere {
  readonly command: string;
  /** What it prints. */
  readonly shows: RegExp;
}

const ALL_LIVE = '"summary": "everything is live"';

const HERE: readonly RunHere[] = [
  { command: "npx holdfast agent --help", shows: /--listen ADDR:PORT/ },
  { command: "npx holdfast lookup --help", shows: /--server ADDR:PORT/ },
  { command: "npx holdfast diff --help", shows: /--against/ },
  { command: "npx holdfast inject --help", shows: /--cluster-dns/ },
  { command: "npx holdfast uninject --help", shows: /uninject/ },
  { command: "npx holdfast render --help", shows: /static-pod/ },
  {
    command: "npx holdfast lookup web.shop.svc.cluster.local",
    shows: /IN A 10\.96\.1\.10\n[^]*IN AAAA fd00:/,
  },
  { command: "npx holdfast lookup db-0.db.shop.svc.cluster.local A", shows: /IN A 10\.244\.1\.5\n/ },
  {
    command: "npx holdfast lookup ledger.shop.svc.cluster.local A",
    shows: /IN CNAME db-0\.[^]*IN A 10\.244\.1\.5\n/,
  },
  {
    command: "npx holdfast lookup _https._tcp.web.shop.svc.cluster.local SRV",
    shows: /IN SRV 0 50 443 web\.shop/,
  },
  { command: "npx holdfast lookup 10.96.1.10", shows: /IN PTR web\.shop\.svc\.cluster\.local\.\n/ },
  { command: "npx holdfast lookup web.shop.svc.cluster.local --json --tcp", shows: /"transport": "tcp"/ },
  { command: "dig @127.0.0.1 -p 5353 web.shop.svc.cluster.local", shows: /\sIN\s+A\s+10\.96\.1\.10\n/ },
  { command: "curl -s http://127.0.0.1:9853/healthz", shows: /^ok\n/ },
  { command: "curl -s http://127.0.0.1:9853/readyz", shows: /^ok\nok sockets: [^]*\nok state: / },
  {
    command: "curl -s http://127.0.0.1:9853/metrics",
    shows: /^holdfast_kind_state\{kind="Service",state="live"\} 1$/m,
  },
  {
    command: 'curl -s -H "Accept: application/json" http://127.0.0.1:9853/status',
    shows: new RegExp(ALL_LIVE),
  },
  { command: 'ss -lunp "sport = :5353"', shows: /127\.0\.0\.1:/ },
  { command: 'ss -ltnp "sport = :5353"', shows: /127\.0\.0\.1:/ },
  { command: "npx node --test test/unit/dns/name.test.ts", shows: /fail 0/ },
  { command: "SEED=42 npx node --test test/property/dns-name.test.ts", shows: /fail 0/ },
];

/** This suite's agent is started with it. */
const AGENT = "npx holdfast agent --manifests examples/manifests";

/** Commands that take a cluster, a network or long: the file that runs them, and what shows it there. */
const ELSEWHERE: Readonly<Record<string, readonly [file: string, mentions: string]>> = {
  "npm ci": [".ci/run", "npm ci"],
  "npm run check": [".ci/run", "npm run check"],
  "npm test": [".ci/run", "npm test"],
  "npm run test:e2e": ["package.json", '"test:e2e"'],
  "UPDATE_GOLDEN=1 npx node --test test/chart/presets.test.ts test/chart/values.test.ts": [
    "test/chart/golden.ts",
    "UPDATE_GOLDEN",
  ],
  "kubectl get deployment web --output yaml | npx holdfast inject - | kubectl apply -f -": [
    "test/cluster/manifests.test.ts",
    "inject",
  ],
  "npm run test:cluster": [".ci/run", "npm run test:cluster"],
  "helm install holdfast charts/holdfast --namespace holdfast --create-namespace": [
    "test/cluster/installed-chart.ts",
    '["install", RELEASE, CHART',
  ],
  "kubectl label namespace demo holdfast/inject=enabled": [
    "test/cluster/installed-chart.ts",
    "holdfast/inject: enabled",
  ],
  "kubectl rollout restart deployment --namespace demo": [
    "test/cluster/installed-chart.ts",
    '["rollout", "restart"]',
  ],
  "helm test holdfast --namespace holdfast": ["test/cluster/installed-chart.ts", '["test", RELEASE'],
  "npm run bench": ["test/bench/bench.ts", "npm run bench"],
  "npm start": ["test/e2e/demo.test.ts", "every command on its screen"],
  "npm start -- --outage": ["test/e2e/demo.test.ts", "--outage"],
  "npm start -- --listen 127.0.0.1:5454": ["test/e2e/demo.test.ts", "--listen"],
  "npm start -- --kubeconfig ~/.kube/config": ["test/e2e/demo.test.ts", "--kubeconfig"],
  "npx holdfast agent --kubeconfig ~/.kube/config": ["test/support/agent-process.ts", "--kubeconfig"],
  "npx holdfast agent --config examples/holdfast.yaml": [
    "test/arch/documents.test.ts",
    "examples/holdfast.yaml",
  ],
};

const SHOWN = [...new Set(documents().flatMap(shellCommands))];
const HOLDFAST = `"${process.execPath}" bin/holdfast.cjs`;
const LIVE_LIMIT_MS = 30_000;
const run = promisify(execFile);

let directory = "";
let agent: ManagedProcess | undefined;
let ports = { dns: "", admin: "" };

/** Any free ports: those in the documents may be taken. `lookup` finds the agent by HOLDFAST_LISTEN. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return {
    ...env,
    HOLDFAST_LISTEN: `127.0.0.1:${ports.dns || 0}`,
    HOLDFAST_ADMIN: `127.0.0.1:${ports.admin || 0}`,
    HOLDFAST_DATA_DIR: join(directory, "data"),
    HOLDFAST_LOG_FORMAT: "json",
  };
}

function portOf(component: string, log: string): string {
  return new RegExp(`"component":"${component}","address":"127\\.0\\.0\\.1:(\\d+)"`).exec(log)?.[1] ?? "";
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "holdfast-commands-"));
  const args = AGENT.replace("npx holdfast ", "").split(" ");
  const started = startProcess(process.execPath, ["bin/holdfast.cjs", ...args], {
    logFile: join(directory, "agent.log"),
    env: environment(),
    cwd: ROOT,
  });
  agent = started;
  const isLive = async (): Promise<true | undefined> => {
    const log = started.output();
    ports = { dns: portOf("server", log), admin: portOf("admin", log) };
    if (ports.dns === "" || ports.admin === "") return undefined;
    const headers = { Accept: "application/json" };
    const status = await (await fetch(`http://127.0.0.1:${ports.admin}/status`, { headers })).text();
    return status.includes(ALL_LIVE) ? true : undefined;
  };
  await waitUntil("the agent is live", isLive, { timeoutMs: LIVE_LIMIT_MS, process: started });
});

after(async () => {
  await agent?.kill("SIGTERM");
  await rm(directory, { recursive: true, force: true });
});

suite("commands in the documents", () => {
  for (const { command, shows } of HERE) {
    test(command, async (t) => {
      const tool = /^(?:\w+=\S+ )?(\w+)/.exec(command)?.[1] ?? "";
      if (!(await isInstalled(tool))) {
        assert.ok(process.env["CI"] !== "true", `${tool} is not installed`);
        return t.skip(`SKIPPED: ${tool} is not installed`);
      }
      const { stdout } = await run("sh", ["-c", adapted(command)], { cwd: ROOT, env: environment() });
      assert.match(stdout, shows);
    });
  }

  test("npx finds the command of the checkout", async () => {
    const { stdout } = await run("npx", ["holdfast", "--help"], { cwd: ROOT });
    assert.match(stdout, /^Usage: holdfast COMMAND/);
  });

  test("are all known", () => {
    const known = [...HERE.map(({ command }) => command), AGENT, ...Object.keys(ELSEWHERE)];
    assert.deepEqual(SHOWN.toSorted(), known.toSorted());
  });

  test("that run elsewhere are run there", async () => {
    for (const [file, mentions] of Object.values(ELSEWHERE)) {
      const text = await readFile(join(ROOT, file), "utf8");
      assert.ok(text.includes(mentions), `${file} has no "${mentions}"`);
    }
  });
});

async function isInstalled(tool: string): Promise<boolean> {
  return run("sh", ["-c", `command -v ${tool}`]).then(
    () => true,
    () => false,
  );
}

/** The same command, for the ports that this agent has. */
function adapted(command: string): string {
  return command
    .replace("npx holdfast", HOLDFAST)
    .replace("npx node", `"${process.execPath}"`)
    .replace("-p 5353", `-p ${ports.dns}`)
    .replace(":5353", `:${ports.dns}`)
    .replace("127.0.0.1:9853", `127.0.0.1:${ports.admin}`);
}
