import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { ApiStatusError } from "../../../src/relay/api-status.ts";
import { RESOURCES } from "../../../src/relay/resources.ts";
import { parseFieldSelector, parseLabelSelector } from "../../../src/relay/selectors.ts";
import { StoredObject } from "../../../src/relay/stored-object.ts";

function slice(labels: Record<string, string>): StoredObject {
  return new StoredObject(
    RESOURCES[2],
    { kind: "EndpointSlice", metadata: { namespace: "shop", name: "web-1", labels } },
    7,
  );
}

const HEADLESS = "service.kubernetes.io/headless";
const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";

const LABEL_CASES = [
  { selector: "", labels: {}, matches: true },
  { selector: HEADLESS, labels: { [HEADLESS]: "" }, matches: true },
  { selector: HEADLESS, labels: {}, matches: false },
  { selector: `!${HEADLESS}`, labels: {}, matches: true },
  { selector: `! ${HEADLESS}`, labels: { [HEADLESS]: "" }, matches: false },
  { selector: "app=web", labels: { app: "web" }, matches: true },
  { selector: "app==web", labels: { app: "web" }, matches: true },
  { selector: " app = web ", labels: { app: "web" }, matches: true },
  { selector: "app=web", labels: { app: "api" }, matches: false },
  { selector: "app=", labels: { app: "" }, matches: true },
  { selector: "app=", labels: {}, matches: false },
  { selector: "app!=web", labels: { app: "api" }, matches: true },
  { selector: "app!=web", labels: {}, matches: true },
  { selector: "app!=web", labels: { app: "web" }, matches: false },
  { selector: "app in (web, api)", labels: { app: "api" }, matches: true },
  { selector: "app in (web,api)", labels: {}, matches: false },
  { selector: "app notin (web,api)", labels: { app: "api" }, matches: false },
  { selector: "app notin (web,api)", labels: {}, matches: true },
  {
    selector: `!${HEADLESS},${MANAGED_BY} notin (endpointslice-controller.k8s.io)`,
    labels: { [MANAGED_BY]: "endpointslicemirroring-controller.k8s.io" },
    matches: true,
  },
  {
    selector: `!${HEADLESS},${MANAGED_BY} notin (endpointslice-controller.k8s.io)`,
    labels: { [MANAGED_BY]: "endpointslice-controller.k8s.io" },
    matches: false,
  },
  { selector: "app in (web,api),tier", labels: { app: "web", tier: "1" }, matches: true },
  { selector: "constructor", labels: {}, matches: false },
];

suite("parseLabelSelector()", () => {
  for (const { selector, labels, matches } of LABEL_CASES) {
    test(`"${selector}" ${matches ? "matches" : "does not match"} ${JSON.stringify(labels)}`, () => {
      assert.equal(parseLabelSelector(selector)(slice(labels)), matches);
    });
  }
  for (const selector of ["a b", "app in web", "app in (", "=web", ",", "app>3", "!!app"]) {
    test(`refuses "${selector}" with 400`, () => {
      assert.throws(() => parseLabelSelector(selector), isBadRequest);
    });
  }
});

suite("parseFieldSelector()", () => {
  test("selects by name and namespace", () => {
    assert.equal(parseFieldSelector("metadata.name=web-1,metadata.namespace==shop")(slice({})), true);
    assert.equal(parseFieldSelector("metadata.name=other")(slice({})), false);
    assert.equal(parseFieldSelector("metadata.name!=other")(slice({})), true);
  });
  for (const selector of ["spec.clusterIP=None", "metadata.name", "toString=x"]) {
    test(`refuses "${selector}" with 400`, () => {
      assert.throws(() => parseFieldSelector(selector), isBadRequest);
    });
  }
});

function isBadRequest(error: unknown): boolean {
  return error instanceof ApiStatusError && error.status.code === 400 && error.status.reason === "BadRequest";
}
