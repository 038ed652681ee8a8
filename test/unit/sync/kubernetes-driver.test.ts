import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { systemClock } from "../../../src/base/clock.ts";
import { KubernetesDriver } from "../../../src/sync/kubernetes-driver.ts";
import { RecordingLog } from "../../support/recording-log.ts";
import { RecordingSink } from "../../support/recording-sink.ts";

const OURS = "11111111-1111-4111-8111-111111111111";
const OTHER = "99999999-9999-4999-8999-999999999999";

test("a driver that knows the cluster of the snapshot resumes no watch on another one", async (t) => {
  const asked = Promise.withResolvers<URL>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://server");
    if (url.pathname !== "/api/v1/namespaces/kube-system") asked.resolve(url);
    else {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ metadata: { name: "kube-system", uid: OTHER } }));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const credentials = {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    skipTlsVerify: false,
    headers: {},
    needsRefresh: false,
    presents: "nothing",
  };
  const driver = new KubernetesDriver({
    endpoints: "headless",
    version: "0",
    credentials: {
      inputs: () => ({ digest: "a", isComplete: true }),
      load: () => Promise.resolve(credentials),
    },
    budget: { take: () => 0 },
    clock: systemClock,
    random: () => 0.5,
    log: new RecordingLog(),
  });
  t.after(() => {
    driver.stop();
    server.close();
    server.closeAllConnections();
  });
  driver.policies(OURS);
  driver.start(new RecordingSink(), new Map(driver.feeds.map((feed) => [feed, "7"])));
  const { searchParams } = await asked.promise;
  assert.equal(searchParams.get("sendInitialEvents"), "true", "a list, not a watch from what we have");
});
