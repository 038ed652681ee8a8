import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { after, before, suite, test } from "node:test";
import { startEmbeddedApi } from "../../support/embedded-api.ts";
import type { EmbeddedApi, EmbeddedApiOptions } from "../../support/embedded-api.ts";
import { FakeClock } from "../../support/fake-clock.ts";

interface ListBody {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items: readonly {
    readonly kind?: string;
    readonly metadata: Record<string, unknown>;
    readonly spec?: unknown;
  }[];
  readonly reason?: string;
  readonly message?: string;
  readonly code?: number;
  readonly details?: { readonly retryAfterSeconds?: number };
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: ListBody;
}

async function ask(url: string, options: { method?: string; accept?: string } = {}): Promise<Reply> {
  const request = httpRequest(url, {
    method: options.method ?? "GET",
    agent: false,
    headers: options.accept === undefined ? {} : { accept: options.accept },
  }).end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const text = (await response.toArray()).join("");
  return { status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) as ListBody };
}

function service(name: string, labels: Record<string, string> = {}, clusterIP = "10.96.0.1") {
  return { kind: "Service" as const, metadata: { namespace: "shop", name, labels }, spec: { clusterIP } };
}

function namesOf({ body }: Reply): unknown[] {
  return body.items.map(({ metadata }) => metadata["name"]);
}

async function withApi(
  options: EmbeddedApiOptions,
  run: (api: EmbeddedApi, services: string) => Promise<void>,
): Promise<void> {
  const api = await startEmbeddedApi(options);
  try {
    await run(api, `${api.url}/api/v1/services`);
  } finally {
    await api.close();
  }
}

suite("a list", () => {
  let api: EmbeddedApi;
  let services: string;
  before(async () => {
    const objects = [
      { kind: "Namespace" as const, metadata: { name: "shop" } },
      service("web", { app: "web" }),
      service("api", { app: "api" }),
      service("db"),
    ];
    api = await startEmbeddedApi({ objects });
    services = `${api.url}/api/v1/services`;
  });
  after(() => api.close());

  test("gives all objects in key order, without kind and apiVersion per item, at the current resourceVersion", async () => {
    const reply = await ask(services);
    assert.equal(reply.status, 200);
    assert.equal(reply.headers["content-type"], "application/json");
    assert.equal(reply.body.kind, "ServiceList");
    assert.equal(reply.body.apiVersion, "v1");
    assert.equal(reply.body.metadata.resourceVersion, String(api.revision));
    assert.deepEqual(namesOf(reply), ["api", "db", "web"]);
    const [first] = reply.body.items;
    assert.equal("kind" in first, false);
    assert.deepEqual(first.spec, { clusterIP: "10.96.0.1" });
    assert.equal(first.metadata["resourceVersion"], "4");
  });

  test("serves Namespaces and EndpointSlices at their own paths", async () => {
    assert.equal((await ask(`${api.url}/api/v1/namespaces`)).body.kind, "NamespaceList");
    const slices = await ask(`${api.url}/apis/discovery.k8s.io/v1/endpointslices`);
    assert.equal(slices.body.kind, "EndpointSliceList");
    assert.equal(slices.body.apiVersion, "discovery.k8s.io/v1");
    assert.deepEqual(slices.body.items, []);
  });

  test("is filtered by labelSelector and by fieldSelector", async () => {
    assert.deepEqual(namesOf(await ask(`${services}?labelSelector=app%20in%20(web,api)`)), ["api", "web"]);
    assert.deepEqual(namesOf(await ask(`${services}?labelSelector=!app`)), ["db"]);
    assert.deepEqual(namesOf(await ask(`${services}?fieldSelector=metadata.name%3Ddb`)), ["db"]);
  });

  test("holds only metadata when the Accept header prefers that", async () => {
    const accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
    const { body } = await ask(services, { accept });
    assert.equal(body.kind, "PartialObjectMetadataList");
    assert.equal(body.apiVersion, "meta.k8s.io/v1");
    assert.equal(body.items[0].kind, "PartialObjectMetadata");
    assert.equal(body.items[0].metadata["name"], "api");
    assert.equal("spec" in body.items[0], false);
  });

  test("is whole where the Accept header asks for something unknown first and JSON later", async () => {
    const reply = await ask(services, {
      accept:
        "application/vnd.kubernetes.protobuf, application/json;as=Table;g=meta.k8s.io;v=v1, application/json",
    });
    assert.equal(reply.body.kind, "ServiceList");
  });

  const FAILURES = [
    { name: "an unknown path", path: "/api/v1/pods", code: 404, reason: "NotFound" },
    { name: "a path that is none", path: "//", code: 404, reason: "NotFound" },
    {
      name: "another method",
      path: "/api/v1/services",
      method: "POST",
      code: 405,
      reason: "MethodNotAllowed",
    },
    {
      name: "protobuf alone",
      path: "/api/v1/services",
      accept: "application/vnd.kubernetes.protobuf",
      code: 406,
      reason: "NotAcceptable",
    },
    {
      name: "a bad labelSelector",
      path: "/api/v1/services?labelSelector=a%20b",
      code: 400,
      reason: "BadRequest",
    },
    {
      name: "an unsupported field",
      path: "/api/v1/services?fieldSelector=spec.type%3DClusterIP",
      code: 400,
      reason: "BadRequest",
    },
    { name: "a bad limit", path: "/api/v1/services?limit=many", code: 400, reason: "BadRequest" },
    {
      name: "a bad resourceVersion",
      path: "/api/v1/services?resourceVersion=-1",
      code: 400,
      reason: "BadRequest",
    },
    { name: "a bad watch flag", path: "/api/v1/services?watch=perhaps", code: 400, reason: "BadRequest" },
    {
      name: "a forged continue token",
      path: "/api/v1/services?continue=eyJ4IjoxfQ",
      code: 400,
      reason: "BadRequest",
    },
    {
      name: "a match without a resourceVersion",
      path: "/api/v1/services?resourceVersionMatch=Exact",
      code: 422,
      reason: "Invalid",
    },
    {
      name: "an unknown match",
      path: "/api/v1/services?resourceVersion=2&resourceVersionMatch=Newest",
      code: 422,
      reason: "Invalid",
    },
    {
      name: "an exact resourceVersion 0",
      path: "/api/v1/services?resourceVersion=0&resourceVersionMatch=Exact",
      code: 422,
      reason: "Invalid",
    },
    {
      name: "sendInitialEvents without a match",
      path: "/api/v1/services?watch=1&sendInitialEvents=true",
      code: 422,
      reason: "Invalid",
    },
    {
      name: "a watch with a match alone",
      path: "/api/v1/services?watch=1&resourceVersion=2&resourceVersionMatch=NotOlderThan",
      code: 422,
      reason: "Invalid",
    },
  ];
  for (const { name, path, code, reason, ...options } of FAILURES) {
    test(`refuses ${name} with a Status ${code} ${reason}`, async () => {
      const { status, body } = await ask(`${api.url}${path}`, options);
      assert.deepEqual([status, body.kind, body.code, body.reason], [code, "Status", code, reason]);
      assert.notEqual(body.message, "");
    });
  }
});

suite("a paged list", () => {
  const objects = ["a", "b", "c", "d", "e"].map((name) => service(name));

  test("continues in the state it was begun in, whatever happens in between", () =>
    withApi({ objects }, async (api, services) => {
      const first = await ask(`${services}?limit=2`);
      assert.deepEqual(namesOf(first), ["a", "b"]);
      assert.equal(first.body.metadata.remainingItemCount, 3);
      const begun = first.body.metadata.resourceVersion;
      api.delete("Service", "shop", "c");
      api.put(service("cc"));
      api.put(service("d", {}, "10.96.0.99"));
      const second = await ask(`${services}?limit=2&continue=${first.body.metadata.continue}`);
      assert.deepEqual(namesOf(second), ["c", "d"]);
      assert.deepEqual(second.body.items[1].spec, { clusterIP: "10.96.0.1" });
      assert.equal(second.body.metadata.resourceVersion, begun);
      const third = await ask(`${services}?limit=2&continue=${second.body.metadata.continue}`);
      assert.deepEqual(namesOf(third), ["e"]);
      assert.equal("continue" in third.body.metadata, false);
      assert.deepEqual(namesOf(await ask(services)), ["a", "b", "cc", "d", "e"]);
    }));

  test("answers 410 Expired once the history no longer reaches back", () =>
    withApi({ objects, store: { historyEvents: 2 } }, async (api, services) => {
      const { body } = await ask(`${services}?limit=2`);
      for (const name of ["x", "y", "z"]) api.put(service(name));
      const reply = await ask(`${services}?limit=2&continue=${body.metadata.continue}`);
      assert.deepEqual([reply.status, reply.body.code, reply.body.reason], [410, 410, "Expired"]);
    }));

  test("ignores the limit for resourceVersion=0, as the API server does", () =>
    withApi({ objects }, async (_api, services) => {
      assert.equal((await ask(`${services}?limit=2&resourceVersion=0`)).body.items.length, 5);
    }));
});

suite("a list at a resourceVersion", () => {
  const objects = [service("a")];

  test("NotOlderThan gives the current state, Exact and a first page give that very state", () =>
    withApi({ objects }, async (api, services) => {
      const seen = api.revision;
      api.put(service("b"));
      assert.deepEqual(
        namesOf(await ask(`${services}?resourceVersion=${seen}&resourceVersionMatch=NotOlderThan`)),
        ["a", "b"],
      );
      assert.deepEqual(namesOf(await ask(`${services}?resourceVersion=${seen}`)), ["a", "b"]);
      assert.deepEqual(namesOf(await ask(`${services}?resourceVersion=${seen}&limit=9`)), ["a"]);
      const exact = await ask(`${services}?resourceVersion=${seen}&resourceVersionMatch=Exact`);
      assert.deepEqual(namesOf(exact), ["a"]);
      assert.equal(exact.body.metadata.resourceVersion, String(seen));
    }));

  test("Exact answers 410 Expired when the history does not reach back", () =>
    withApi({ objects, store: { historyEvents: 1 } }, async (api, services) => {
      const seen = api.revision;
      for (const name of ["x", "y"]) api.put(service(name));
      const reply = await ask(`${services}?resourceVersion=${seen}&resourceVersionMatch=Exact`);
      assert.deepEqual([reply.status, reply.body.reason], [410, "Expired"]);
    }));

  test("a future one waits for the change", async () => {
    const clock = new FakeClock();
    await withApi({ objects, clock }, async (api, services) => {
      const reply = ask(`${services}?resourceVersion=${api.revision + 1}&resourceVersionMatch=NotOlderThan`);
      while (clock.pendingTimers === 0) await clock.advanceAsync(0);
      api.put(service("b"));
      assert.deepEqual(namesOf(await reply), ["a", "b"]);
      assert.equal(clock.pendingTimers, 0);
    });
  });

  test("a future one that does not come answers 504 Too large resource version after 3 s", async () => {
    const clock = new FakeClock();
    await withApi({ objects, clock }, async (_api, services) => {
      const pending = ask(`${services}?resourceVersion=4000&resourceVersionMatch=NotOlderThan`);
      while (clock.pendingTimers === 0) await clock.advanceAsync(0);
      clock.advance(3_000);
      const { status, headers, body } = await pending;
      assert.deepEqual([status, body.reason, body.details?.retryAfterSeconds], [504, "Timeout", 1]);
      assert.match(body.message ?? "", /^Too large resource version: 4000, current: 2$/);
      assert.equal(headers["retry-after"], "1");
    });
  });
});

test("a list of 20,000 objects arrives whole", () =>
  withApi(
    {
      objects: Array.from({ length: 20_000 }, (_, index) =>
        service(`service-${String(index).padStart(5, "0")}`),
      ),
    },
    async (_api, services) => {
      const { body } = await ask(services);
      assert.equal(body.items.length, 20_000);
      assert.equal(body.items[19_999].metadata["name"], "service-19999");
    },
  ));
