import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDiffArgs } from "../../src/cli/diff-args.ts";
import { loadConfig } from "../../src/config/load.ts";
import { openHelm, PRESETS, type Helm, type RenderedObject } from "./helm.ts";
import { allContainers, findWorkload, selects, workloads, type Container } from "./workloads.ts";

/** Values that the everything-on preset brings; the chart's own containers are what counts here. */
const FOREIGN_CONTAINERS = new Set(["first", "beside"]);

test("workloads", async (t) => {
  const opened = await openHelm(t);
  if (opened === undefined) return;
  const helm: Helm = opened;
  const rendered = new Map<string, RenderedObject[]>();
  for (const preset of PRESETS) rendered.set(preset, await helm.render({ preset }));

  for (const [preset, objects] of rendered) {
    await t.test(`${preset}: no container on the host network declares a port`, () => {
      for (const { pod, name } of workloads(objects).filter((each) => each.pod.hostNetwork === true))
        for (const container of allContainers(pod)) assert.equal(container.ports, undefined, name);
    });

    await t.test(`${preset}: no workload selects the pods of another`, () => {
      const all = workloads(objects);
      for (const { name, selector } of all)
        for (const other of all)
          if (selector !== undefined && selects(selector, other.podLabels)) assert.equal(other.name, name);
    });

    await t.test(`${preset}: containers have only the rights that they need`, () => {
      for (const { pod, name } of workloads(objects)) {
        for (const container of allContainers(pod)) {
          if (FOREIGN_CONTAINERS.has(container.name)) continue;
          const where = `${name}/${container.name}`;
          const { securityContext } = container;
          assert.equal(securityContext.allowPrivilegeEscalation, false, where);
          assert.equal(securityContext.readOnlyRootFilesystem, true, where);
          assert.equal(securityContext.privileged, undefined, where);
          assert.deepEqual(securityContext.capabilities?.drop, ["ALL"], where);
          assert.equal(securityContext.runAsUser, container.name === "link-local" ? 0 : 65532, where);
          const added = securityContext.capabilities.add ?? [];
          if (container.name === "link-local") assert.ok(added.includes("NET_ADMIN"), where);
          // The kernel starts a file with this capability only where it is allowed.
          else assert.deepEqual(added, container.name === "done" ? [] : ["NET_BIND_SERVICE"], where);
        }
      }
    });

    await t.test(`${preset}: memory is limited, CPU is not`, () => {
      for (const { pod, name } of workloads(objects)) {
        for (const container of allContainers(pod)) {
          if (FOREIGN_CONTAINERS.has(container.name)) continue;
          assert.deepEqual(
            Object.keys(container.resources?.limits ?? {}),
            ["memory"],
            `${name}/${container.name}`,
          );
        }
      }
    });

    await t.test(`${preset}: every mount has its volume`, () => {
      for (const { pod, name } of workloads(objects)) {
        const volumes = (pod.volumes ?? []).map((volume) => volume.name);
        const mounts = allContainers(pod).flatMap(({ volumeMounts = [] }) => volumeMounts);
        const mounted = new Set(mounts.map((mount) => mount.name));
        assert.deepEqual([...mounted].sort(), volumes.sort(), name);
      }
    });

    await t.test(`${preset}: every object has the usual labels`, () => {
      for (const { kind, metadata } of objects.filter(({ metadata }) => metadata.name !== "even-more")) {
        if (metadata.name.endsWith("-more")) continue;
        for (const key of ["name", "instance", "version", "component", "part-of", "managed-by"])
          assert.ok(metadata.labels[`app.kubernetes.io/${key}`], `${kind} ${metadata.name} ${key}`);
        assert.match(metadata.labels["helm.sh/chart"], /^holdfast-/);
      }
    });
  }

  for (const preset of PRESETS.filter((each) => each !== "sidecar")) {
    await t.test(`${preset}: the agent understands its arguments`, async () => {
      const agents = workloads(rendered.get(preset) ?? []).flatMap(({ pod }) =>
        pod.containers.filter(({ name }) => name === "agent"),
      );
      assert.ok(agents.length > 0);
      for (const { args = [] } of agents) {
        const [command, ...flags] = args.map(expandVariables);
        assert.equal(command, "agent");
        const loaded = await loadConfig({
          args: flags,
          env: {},
          isTerminal: false,
          readText: async () => "",
        });
        assert.equal(loaded.outcome, "config", JSON.stringify(loaded));
      }
    });

    await t.test(`${preset}: the test's command is one`, async () => {
      const objects = rendered.get(preset) ?? [];
      const { pod } = workloads(objects).find(({ kind }) => kind === "Pod") ?? assert.fail();
      const [command, ...args] = (pod.containers[0].args ?? []).map(expandVariables);
      assert.equal(command, "diff");
      const parsed = await parseDiffArgs(args, {}, async () => "nameserver 10.96.0.10\n");
      assert.ok("value" in parsed, JSON.stringify(parsed));
      assert.equal(parsed.value.against.address, "10.96.0.10");
    });
  }

  await t.test("the addresses of the node are those that the agent listens on", async () => {
    const objects = await helm.render({
      set: ['linkLocal.ipv4="169.254.7.7"', 'linkLocal.ipv6=""', 'linkLocal.interface="dns0"'],
    });
    const { pod } = findWorkload(objects, "DaemonSet", "holdfast");
    assert.deepEqual(pod.initContainers?.[0].args, [
      "add",
      "--interface=dns0",
      "--ipv4=169.254.7.7",
      "--ipv6=",
      "--own-data-dir=/var/lib/holdfast",
    ]);
    assert.deepEqual(listenArguments(pod.containers[0].args), ["--listen=169.254.7.7:53"]);
    const cleanup = findWorkload(objects, "DaemonSet", "holdfast-cleanup").pod.initContainers?.[0];
    assert.deepEqual(cleanup?.args, ["remove", "--interface=dns0", "--ipv4=169.254.7.7", "--ipv6="]);
  });

  await t.test("whoever sets nodes up alone gets neither the set-up step nor the clean-up", async () => {
    const objects = await helm.render({ set: ['linkLocal.setup="none"'] });
    assert.equal(findWorkload(objects, "DaemonSet", "holdfast").pod.initContainers, undefined);
    assert.deepEqual(cleanupNames(objects), []);
  });

  await t.test("the clean-up can be left out", async () => {
    const objects = await helm.render({ set: ["linkLocal.cleanup.enabled=false"] });
    assert.deepEqual(cleanupNames(objects), []);
  });

  await t.test("everything of the clean-up goes when it is done", async () => {
    const objects = await helm.render();
    const hooks = objects.filter(({ metadata }) => metadata.name === "holdfast-cleanup");
    assert.deepEqual(hooks.map(({ kind }) => kind).sort(), [
      "DaemonSet",
      "Job",
      "Role",
      "RoleBinding",
      "ServiceAccount",
    ]);
    for (const { kind, metadata } of hooks) {
      assert.equal(metadata.annotations?.["helm.sh/hook"], "post-delete", kind);
      assert.match(metadata.annotations["helm.sh/hook-delete-policy"], /before-hook-creation,hook-succeeded/);
    }
  });

  await t.test("the clean-up's Job comes last, and the rights that it needs first", async () => {
    const weights = new Map<string, number>();
    for (const { kind, metadata } of await helm.render()) {
      const weight = metadata.annotations?.["helm.sh/hook-weight"];
      if (weight !== undefined) weights.set(kind, Number(weight));
    }
    const byWeight = [...weights].sort(([, left], [, right]) => left - right).map(([kind]) => kind);
    assert.deepEqual(byWeight, ["ServiceAccount", "Role", "RoleBinding", "DaemonSet", "Job"]);
  });

  await t.test("the canary runs on its nodes, and nothing else of ours does", async () => {
    const objects = await helm.render({
      set: ["canary.enabled=true", 'canary.nodeSelector={"a":"1","b":"2"}', 'canary.image.tag="0.2.0"'],
    });
    const stable = findWorkload(objects, "DaemonSet", "holdfast");
    const canary = findWorkload(objects, "DaemonSet", "holdfast-canary");
    assert.match(canary.pod.containers[0].image, /:0\.2\.0$/);
    assert.match(stable.pod.containers[0].image, /:0\.1\.0$/);
    assert.deepEqual(canary.pod.nodeSelector, { "kubernetes.io/os": "linux", a: "1", b: "2" });
    const nodes: readonly [labels: Record<string, string>, isCanary: boolean][] = [
      [{ "kubernetes.io/os": "linux" }, false],
      [{ "kubernetes.io/os": "linux", a: "1" }, false],
      [{ "kubernetes.io/os": "linux", a: "1", b: "3" }, false],
      [{ "kubernetes.io/os": "linux", a: "1", b: "2" }, true],
    ];
    for (const [labels, isCanary] of nodes) {
      assert.equal(runsOn(canary, labels), isCanary, JSON.stringify(labels));
      assert.equal(runsOn(stable, labels), !isCanary, JSON.stringify(labels));
    }
    const virtual = { "kubernetes.io/os": "linux", type: "virtual-kubelet", a: "1", b: "2" };
    assert.equal(runsOn(canary, virtual), false);
    assert.equal(runsOn(stable, { ...virtual, a: "3" }), false);
  });

  await t.test("a digest beats the tag, and the global registry the own one", async () => {
    const digest = `sha256:${"a".repeat(64)}`;
    assert.equal(await imageOf(helm), "ghcr.io/holdfast-dns/holdfast:0.1.0");
    assert.equal(await imageOf(helm, 'image.tag="1.2.3"'), "ghcr.io/holdfast-dns/holdfast:1.2.3");
    assert.equal(
      await imageOf(
        helm,
        'image.tag="1.2.3"',
        `image.digest="${digest}"`,
        'global.imageRegistry="mirror.example.org"',
      ),
      `mirror.example.org/holdfast-dns/holdfast@${digest}`,
    );
  });

  await t.test("addresses of nodes and pods are in brackets where they are IPv6", async () => {
    const service = ['mode="service"', 'service.clusterIP="fd00::53"', 'injection.ipFamilies=["IPv6"]'];
    assert.deepEqual(await adminOf(helm), ["--admin=127.0.0.1:9853"]);
    assert.deepEqual(await adminOf(helm, "metrics.enabled=true"), [
      "--admin=127.0.0.1:9853",
      "--admin=$(HOST_IP):9853",
    ]);
    assert.deepEqual(await adminOf(helm, ...service, 'primaryIPFamily="IPv6"'), [
      "--admin=127.0.0.1:9853",
      "--admin=[$(POD_IP)]:9853",
    ]);
  });
});

/** As the kubelet does in arguments, with one address for all of them. */
function expandVariables(argument: string): string {
  return argument.replace(/\$\(\w+\)/, "10.0.0.7");
}

async function agentOf(helm: Helm, set: readonly string[]): Promise<Container> {
  return findWorkload(await helm.render({ set }), "DaemonSet", "holdfast").pod.containers[0];
}

async function imageOf(helm: Helm, ...set: string[]): Promise<string> {
  return (await agentOf(helm, set)).image;
}

/** Where the admin pages are then. */
async function adminOf(helm: Helm, ...set: string[]): Promise<string[]> {
  const { args = [] } = await agentOf(helm, set);
  return args.filter((arg) => arg.startsWith("--admin="));
}

function listenArguments(args: readonly string[] = []): string[] {
  return args.filter((arg) => arg.startsWith("--listen="));
}

function cleanupNames(objects: readonly RenderedObject[]): string[] {
  return objects.map(({ metadata }) => metadata.name).filter((name) => name.includes("cleanup"));
}

/** What the scheduler decides by the node's labels. */
function runsOn({ pod }: ReturnType<typeof findWorkload>, node: Readonly<Record<string, string>>): boolean {
  const terms =
    pod.affinity?.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms ?? [];
  const isMatched = terms.some(({ matchExpressions }) =>
    matchExpressions.every(({ key, operator, values }) => {
      assert.equal(operator, "NotIn");
      return !values.includes(node[key]);
    }),
  );
  return selects(pod.nodeSelector ?? {}, node) && isMatched;
}
