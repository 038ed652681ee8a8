import assert from "node:assert/strict";
import { clusterTest, sharedCluster } from "./cluster-under-test.ts";
import {
  install,
  NAMESPACE,
  nodeWithImage,
  OPTED_IN,
  optIn,
  runHelmTest,
  uninstall,
} from "./installed-chart.ts";
import { BUSYBOX_IMAGE } from "../support/node/base-images.ts";

/** The ways to reach the agent besides the link-local address, on a real node. */

const SERVICE_IP = "10.96.0.53";

const shared = sharedCluster(() => nodeWithImage());

clusterTest(
  "mode service: in a restricted namespace, by a Service that pods have as nameserver",
  shared,
  async (cluster) => {
    await cluster.apply(`apiVersion: v1
kind: Namespace
metadata:
  name: ${NAMESPACE}
  labels: { pod-security.kubernetes.io/enforce: restricted }
`);
    await install(cluster, 'mode="service"', `service.clusterIP="${SERVICE_IP}"`);
    await optIn(cluster, ({ dnsConfig }) => dnsConfig?.nameservers[0] === SERVICE_IP);
    const container = { name: "main", image: BUSYBOX_IMAGE, command: ["sleep", "1000000"] };
    const spec = { terminationGracePeriodSeconds: 0, containers: [container] };
    await cluster.apply(
      JSON.stringify({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { namespace: OPTED_IN, name: "client" },
        spec,
      }),
    );
    await cluster.waitForPod(OPTED_IN, "client");
    const client = { namespace: OPTED_IN, pod: "client", container: "main" };
    const lookup = ["nslookup", "-type=A", "kubernetes.default.svc.cluster.local", SERVICE_IP];
    const answer = await cluster.exec(client, lookup);
    assert.match(answer.stdout, /Address: 10\.96\.0\.1\n/, answer.stdout + answer.stderr);
    const tested = await runHelmTest(cluster);
    assert.equal(tested.exitCode, 0, tested.stdout + tested.stderr);
    await uninstall(cluster);
  },
);
