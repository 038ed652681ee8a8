import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { openAnyCluster, orSkip, startAgent } from "../e2e/cluster-under-test.ts";
import { SMALL_CLUSTER } from "../support/control-plane-sizes.ts";
import { CoreDns } from "../support/coredns.ts";
import { runCommand } from "../support/node/run-command.ts";

const HOLDFAST = join(import.meta.dirname, "../../bin/holdfast.cjs");

test("holdfast diff finds the agent and CoreDNS the same, and says where they are not", async (t) => {
  const cluster = await openAnyCluster(t, SMALL_CLUSTER);
  if (cluster === undefined) return;
  const coredns = await orSkip(t, () => CoreDns.start(cluster.otherKubeconfig));
  if (coredns === undefined) return;
  t.after(() => coredns.close());
  const { agent } = await startAgent(t, { kubeconfig: cluster.kubeconfig });
  const servers = [`--server=127.0.0.1:${agent.port}`, `--against=127.0.0.1:${coredns.port}`];
  const diff = (...names: string[]) => runCommand(process.execPath, [HOLDFAST, "diff", ...names, ...servers]);

  const same = await diff();
  assert.equal(same.stdout.match(/^same {4}/gm)?.length, 5, same.stdout);
  assert.match(same.stdout, /^same {4}kubernetes\.default\.svc\.cluster\.local\. A NOERROR, 1 record$/m);
  assert.deepEqual([same.exitCode, same.stderr], [0, ""]);

  // Names outside of the cluster: the agent refuses them, and this CoreDNS has nobody to ask.
  const foreign = await diff("example.org:A");
  assert.match(foreign.stdout, /^differs example\.org\. A\n {2}127\.0\.0\.1:\d+ REFUSED\n/);
  assert.equal(foreign.exitCode, 1);
});
