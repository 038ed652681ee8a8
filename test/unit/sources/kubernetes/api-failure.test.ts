import assert from "node:assert/strict";
import { test } from "node:test";
import {
  isGone,
  isServerWide,
  isTooLargeResourceVersion,
  oneLine,
  statusFailure,
} from "../../../../src/sources/kubernetes/api-failure.ts";

const WALL_MS = Date.UTC(2026, 0, 1);

test("statusFailure() reads a Status, and makes do with anything else", () => {
  const failure = statusFailure(
    { code: 403, reason: "Forbidden", message: "services is\n  forbidden" },
    { httpStatus: 403, wallMs: WALL_MS },
  );
  assert.equal(failure.reason, "HTTP 403 Forbidden: services is forbidden");
  for (const body of [undefined, null, [], "text", 7, { code: "x", reason: {}, message: [], details: [] }]) {
    assert.equal(statusFailure(body, { httpStatus: 502, wallMs: WALL_MS }).reason, "HTTP 502");
    assert.equal(statusFailure(body, { wallMs: WALL_MS }).code, 500);
  }
});

test("statusFailure() takes the longest pause asked for, and bounds it", () => {
  const retryAfterMs = (retryAfter: string | undefined, seconds?: unknown): number =>
    statusFailure(
      { details: { retryAfterSeconds: seconds } },
      { retryAfter, httpStatus: 429, wallMs: WALL_MS },
    ).retryAfterMs;
  assert.equal(retryAfterMs("7"), 7000);
  assert.equal(retryAfterMs("1", 3), 3000);
  assert.equal(retryAfterMs(new Date(WALL_MS + 5000).toUTCString()), 5000);
  assert.equal(retryAfterMs(new Date(WALL_MS - 5000).toUTCString()), 0);
  assert.equal(retryAfterMs("soon"), 0);
  assert.equal(retryAfterMs("-5", -5), 0);
  assert.equal(retryAfterMs("99999999", Infinity), 600_000);
  assert.equal(retryAfterMs(undefined, "9"), 0);
});

test("failures are told apart: the server, the resource, or its history", () => {
  const serverWide = [of(429), of(500), of(502), of(503), of(504, "Timeout", "etcd timed out")];
  const notServerWide = [of(400), of(401), of(403), of(404), of(410), of(422)];
  for (const failure of serverWide) assert.equal(isServerWide(failure), true, failure.reason);
  for (const failure of notServerWide) assert.equal(isServerWide(failure), false, failure.reason);
  const tooLarge = of(504, "Timeout", "Too large resource version: 9, current: 5");
  assert.equal(isTooLargeResourceVersion(tooLarge), true);
  assert.equal(isServerWide(tooLarge), false);
  assert.equal(isGone(of(410, "Gone")), true);
  assert.equal(isGone(of(410, "Expired")), true);
  assert.equal(isServerWide({ type: "transport", reason: "" }), true);
  assert.equal(isServerWide({ type: "content", reason: "" }), false);
});

test("oneLine() is short and has no line breaks, whatever comes", () => {
  assert.equal(oneLine(" a\r\n\tb "), "a b");
  assert.equal(oneLine("x".repeat(100_000)).length, 203);
});

function of(code: number, reason = "", message = "") {
  return statusFailure({ reason, message }, { httpStatus: code, wallMs: WALL_MS });
}
