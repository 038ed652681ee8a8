import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { promisify } from "node:util";
import { renderNode } from "../../../src/render/render-node.ts";

const run = promisify(execFile);
const UNITS = ["holdfast.service", "holdfast-setup.service"];

function render(values: string, only?: string) {
  return renderNode("systemd", [{ path: "values.yaml", text: values }], { version: "1.2.3", only });
}

function textOf(values: string, only: string): string {
  const rendered = render(values, only);
  assert.ok("value" in rendered, JSON.stringify(rendered));
  return rendered.value;
}

/** What a unit sets, lines that go on put together. */
function settings(text: string): readonly string[] {
  return text
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => /^\w+=/.test(line));
}

function has(text: string, wanted: readonly string[]): void {
  const lines = settings(text);
  for (const line of wanted) assert.ok(lines.includes(line), `${line}\n${text}`);
}

suite("the systemd units", () => {
  test("run the agent as its own user, with one capability, and for ever", () => {
    const unit = textOf("", "holdfast.service");
    has(unit, [
      "ExecStart=/opt/holdfast/nodejs/bin/node /opt/holdfast/app/bin/holdfast.cjs agent --listen=169.254.53.53:53 --listen=[fd00:53::53]:53 --admin=127.0.0.1:9853 --data-dir=/var/lib/holdfast --kubeconfig=/etc/kubernetes/holdfast.kubeconfig --zone=cluster.local --endpoints=headless --ttl=5 --pods=insecure --log-level=info --log-format=json",
      "User=holdfast",
      "DynamicUser=no",
      "AmbientCapabilities=CAP_NET_BIND_SERVICE",
      "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
      "StateDirectory=holdfast",
      "Restart=always",
      "StartLimitIntervalSec=0",
      "NoNewPrivileges=yes",
      "ProtectSystem=strict",
      "TimeoutStopSec=30",
      "MemoryMax=256M",
      "Wants=holdfast-setup.service",
    ]);
    // V8 writes code while it runs.
    assert.doesNotMatch(unit, /MemoryDenyWriteExecute/);
  });

  test("give the node its addresses before each start of the agent, with another capability", () => {
    const unit = textOf("linkLocal: {interface: lo}", "holdfast-setup.service");
    has(unit, [
      "ExecStart=/opt/holdfast/busybox/busybox sh /opt/holdfast/busybox/link-local add --interface=lo --ipv4=169.254.53.53 --ipv6=fd00:53::53",
      "Type=oneshot",
      "CapabilityBoundingSet=CAP_NET_ADMIN",
      "ProtectKernelTunables=yes",
    ]);
    // It would not run again.
    assert.doesNotMatch(unit, /RemainAfterExit/);
    const lifting = textOf("linkLocal: {liftIcmpLimit: true}", "holdfast-setup.service");
    assert.match(lifting, /--lift-icmp-limit\n[^]*ProtectKernelTunables=no\n/);
  });

  test("have what the values say", () => {
    const unit = textOf(
      `systemd: {directory: /srv/agent, kubeconfig: /srv/agent/kubeconfig}
linkLocal: {setup: none}
snapshot: {hostPath: /srv/data}
resources: {limits: {memory: 300M}}
terminationGracePeriodSeconds: 5
extraArgs: ['--context=a "b" $c 5%']
extraEnv: [{name: NODE_OPTIONS, value: --trace-warnings "50%" $x}]
`,
      "holdfast.service",
    );
    assert.ok(unit.includes(String.raw`"--context=a \"b\" $$c 5%%"`), unit);
    has(unit, [
      String.raw`Environment="NODE_OPTIONS=--trace-warnings \"50%%\" $x"`,
      "ReadWritePaths=/srv/data",
      "MemoryMax=300000000",
      "TimeoutStopSec=5",
    ]);
    assert.doesNotMatch(unit, /holdfast-setup|StateDirectory/);
    assert.match(unit, /^ExecStart=\/srv\/agent\/nodejs\/bin\/node /m);
    assert.doesNotMatch(textOf("resources: null", "holdfast.service"), /MemoryMax/);
  });

  test("come in one stream, each under its path, or one alone", () => {
    const all = render("");
    assert.ok("value" in all);
    assert.deepEqual(
      Array.from(all.value.matchAll(/^# (\/etc\S+)$/gm), ([, path]) => path),
      [...UNITS.map((name) => `/etc/systemd/system/${name}`), "/etc/sysusers.d/holdfast.conf"],
    );
    assert.equal(textOf("", "holdfast.conf"), 'u holdfast 65532 "Holdfast agent" /var/lib/holdfast\n');
    assert.deepEqual(render("linkLocal: {setup: none}", "holdfast-setup.service"), {
      problem: '--only: "holdfast-setup.service"; accepted is one of holdfast.service holdfast.conf',
    });
  });

  const wrong: readonly (readonly [values: string, want: string])[] = [
    [
      "metrics: {enabled: true}",
      "metrics.enabled and metrics.scrapeAnnotations: a unit does not know the address of its node; accepted is false, and --admin=ADDR:9853 in extraArgs",
    ],
    [
      "resources: {limits: {memory: 1.5Gi}}",
      'resources.limits.memory: "1.5Gi"; accepted is a whole number with a unit such as 256Mi',
    ],
    [
      "extraEnv: [{name: A, valueFrom: {}}]",
      String.raw`extraEnv: "{\"name\":\"A\",\"valueFrom\":{}}"; accepted in a unit is a name with a value, which is a text`,
    ],
    ["extraContainers: [{name: x}]", "extraContainers: only a pod can have it; accepted for systemd is none"],
    ["lifecycle: {preStop: {}}", "lifecycle: only a pod can have it; accepted for systemd is none"],
    [
      String.raw`extraArgs: ["a\nb"]`,
      String.raw`"a\nb" has control characters; accepted in a unit is a text without`,
    ],
  ];
  for (const [values, want] of wrong) {
    test(`refuse ${values}`, () => assert.deepEqual(render(values), { problem: want }));
  }

  test("are what systemd reads without a complaint", async (t) => {
    const isThere = await run("systemd-analyze", ["--version"]).then(
      () => true,
      () => false,
    );
    if (!isThere) {
      assert.ok(process.env["CI"] !== "true", "systemd-analyze is not installed");
      return t.skip("SKIPPED: systemd-analyze is not installed");
    }
    const directory = await mkdtemp(join(tmpdir(), "holdfast-units-"));
    t.after(() => rm(directory, { recursive: true }));
    // It looks for the programs.
    for (const program of ["nodejs/bin/node", "busybox/busybox"]) {
      await mkdir(join(directory, program, ".."), { recursive: true });
      await copyFile("/bin/sh", join(directory, program));
    }
    for (const values of ["", "linkLocal: {liftIcmpLimit: true}\nextraArgs: ['a \"b\" $c 5%']\n"]) {
      const layer = `${values}\nsystemd: {directory: ${directory}}\n`;
      for (const name of UNITS) await writeFile(join(directory, name), textOf(layer, name));
      const paths = UNITS.map((name) => join(directory, name));
      const { stderr } = await run("systemd-analyze", ["verify", "--man=no", ...paths]);
      assert.doesNotMatch(stderr, /holdfast/);
    }
  });
});
