import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiResponseHandler } from "../../../src/sources/kubernetes/api-transport.ts";
import { MeteredTransport } from "../../../src/sync/metered-transport.ts";

const SLICES = "/apis/discovery.k8s.io/v1/endpointslices";
const SERVICES = "/api/v1/services";
const IGNORE: ApiResponseHandler = {
  onResponse: () => undefined,
  onData: () => undefined,
  onEnd: () => undefined,
  onError: () => undefined,
};

function setUp() {
  const handlers: ApiResponseHandler[] = [];
  const transport = new MeteredTransport({
    get: (_request, handler) => {
      handlers.push(handler);
      return { abort: () => undefined };
    },
  });
  const ask = (path: string) => {
    const exchange = transport.get({ path }, IGNORE);
    return { ...exchange, server: handlers.at(-1)! };
  };
  return {
    ask,
    watch: (path: string, status = 200) => {
      const exchange = ask(`${path}${path.includes("?") ? "&" : "?"}watch=1&resourceVersion=7`);
      exchange.server.onResponse(status, {});
      return exchange;
    },
    restarts: () => transport.traffic().watchRestarts,
    outcomes: () => transport.traffic().requestsByOutcome,
  };
}

test("a watch counts as a restart when one of its path ended before, whichever way", () => {
  const { watch, restarts } = setUp();
  watch(SERVICES).server.onEnd();
  assert.equal(restarts(), 0);
  watch(SERVICES).server.onError(new Error("reset"));
  assert.equal(restarts(), 1);
  watch(SERVICES).abort();
  assert.equal(restarts(), 2);
  watch(SERVICES);
  assert.equal(restarts(), 3);
});

test("first watches are no restarts, those of two feeds with one path neither", () => {
  const { watch, restarts } = setUp();
  watch(SERVICES).server.onEnd();
  const headless = watch(`${SLICES}?labelSelector=a`);
  watch(`${SLICES}?labelSelector=b`);
  assert.equal(restarts(), 0);
  headless.server.onEnd();
  watch(`${SLICES}?labelSelector=a`);
  assert.equal(restarts(), 1);
});

test("a watch that was refused is neither opened nor ended, and a list is no watch", () => {
  const { watch, ask, restarts, outcomes } = setUp();
  watch(SERVICES, 410).server.onEnd();
  const list = ask(`${SERVICES}?limit=500`);
  list.server.onResponse(200, {});
  list.server.onEnd();
  ask(`${SERVICES}?watch=1`).server.onError(new Error("connect ECONNREFUSED"));
  watch(SERVICES);
  assert.equal(restarts(), 0);
  assert.deepEqual(outcomes(), { ok: 2, gone: 1, throttled: 0, denied: 0, failed: 0, unreachable: 1 });
});
