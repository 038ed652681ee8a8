import assert from "node:assert/strict";
import { test } from "node:test";
import type { Feed } from "../../../src/model/feed.ts";
import { KindStates } from "../../../src/sources/kind-states.ts";
import type { FeedStatus } from "../../../src/sources/source.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const LIVE: FeedStatus = { phase: "live" };
const LISTING: FeedStatus = { phase: "listing" };
const DOWN: FeedStatus = { phase: "down", reason: "connect ECONNREFUSED" };

function kindStates(...feeds: Feed[]) {
  const clock = new FakeClock();
  const changes: string[] = [];
  const states: KindStates = new KindStates({ feeds, clock }, (kind) =>
    changes.push(`${kind} ${states.state(kind)}`),
  );
  return { clock, states, changes };
}

test("a feed goes from never over syncing to live", () => {
  const { states, changes } = kindStates("services");
  assert.equal(states.state("Service"), "never");
  assert.equal(states.isComplete("Service"), false);
  states.status("services", LISTING);
  states.completed("services");
  states.status("services", LIVE);
  assert.deepEqual(changes, ["Service syncing", "Service syncing", "Service live"]);
  assert.equal(states.isComplete("Service"), true);
});

test("a feed from the snapshot is restored and complete until it is live, whatever happens before", () => {
  const { states, clock } = kindStates("services");
  states.restored("services");
  for (const status of [DOWN, LISTING, DOWN]) {
    states.status("services", status);
    clock.advance(60_000);
    assert.equal(states.state("Service"), "restored");
  }
  assert.equal(states.isComplete("Service"), true);
  states.status("services", LIVE);
  assert.equal(states.state("Service"), "live");
});

test("a kind is stale when its feed was out of step for 10 s, listing included, and no sooner", () => {
  const { states, clock, changes } = kindStates("services");
  states.status("services", LIVE);
  clock.advance(1000);
  states.status("services", DOWN);
  clock.advance(9000);
  states.status("services", LISTING);
  clock.advance(999);
  assert.equal(states.state("Service"), "live");
  clock.advance(1);
  assert.equal(states.state("Service"), "stale");
  assert.equal(states.isComplete("Service"), true);
  states.status("services", LIVE);
  assert.equal(states.state("Service"), "live");
  assert.deepEqual(changes, [
    "Service live",
    "Service live",
    "Service live",
    "Service stale",
    "Service live",
  ]);
});

test("a feed that returns within 10 s was never stale", () => {
  const { states, clock } = kindStates("services");
  states.status("services", LIVE);
  for (let round = 0; round < 5; round++) {
    states.status("services", DOWN);
    clock.advance(9999);
    assert.equal(states.state("Service"), "live");
    states.status("services", LIVE);
  }
  assert.equal(clock.pendingTimers, 0);
});

test("a kind with two feeds is as good as the worse one", () => {
  const { states, clock } = kindStates("endpointslices-headless", "endpointslices-custom");
  states.status("endpointslices-headless", LIVE);
  assert.equal(states.state("EndpointSlice"), "never");
  assert.equal(states.isComplete("EndpointSlice"), false);
  states.status("endpointslices-custom", LISTING);
  assert.equal(states.state("EndpointSlice"), "syncing");
  states.status("endpointslices-custom", LIVE);
  assert.equal(states.state("EndpointSlice"), "live");
  states.status("endpointslices-custom", DOWN);
  clock.advance(10_000);
  assert.equal(states.state("EndpointSlice"), "stale");
  assert.equal(states.reason("EndpointSlice"), "connect ECONNREFUSED");
});

test("only changes are reported", () => {
  const { states, changes } = kindStates("services");
  states.status("services", LIVE);
  states.status("services", LIVE);
  states.completed("services");
  states.status("services", DOWN);
  states.status("services", DOWN);
  states.status("namespaces", LIVE);
  assert.deepEqual(changes, ["Service live", "Service live"], "live, then live with a reason");
});

test("the age counts from when the kind was last in step", () => {
  const { states, clock } = kindStates("services", "namespaces");
  assert.equal(states.ageMs("Service"), undefined);
  states.status("services", LIVE);
  clock.advance(5000);
  assert.equal(states.ageMs("Service"), 0);
  states.status("services", DOWN);
  clock.advance(3000);
  states.status("services", LISTING);
  clock.advance(4000);
  assert.equal(states.ageMs("Service"), 7000);
  assert.equal(states.ageMs("Namespace"), undefined);
  assert.equal(states.ageMs("EndpointSlice"), undefined);
});

test("stop() reports nothing more", () => {
  const { states, clock, changes } = kindStates("services");
  states.status("services", LIVE);
  states.status("services", DOWN);
  states.stop();
  const before = changes.length;
  clock.advance(60_000);
  assert.equal(changes.length, before);
  assert.equal(clock.pendingTimers, 0);
});
