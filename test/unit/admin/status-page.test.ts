import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { AdminView } from "../../../src/admin/admin-view.ts";
import { statusDocument } from "../../../src/admin/status-document.ts";
import { renderStatusPage } from "../../../src/admin/status-page.ts";
import { sampleView } from "./sample-view.ts";

const NOW_MS = Date.UTC(2026, 0, 2, 13);

function page(overrides: Partial<AdminView> = {}): string {
  return renderStatusPage(statusDocument(sampleView(overrides), NOW_MS));
}

/** What a person reads: the text without the markup. */
function text(html: string): string {
  return html.replaceAll(/<style>[^]*<\/style>|<[^>]+>/g, " ").replaceAll(/\s+/g, " ");
}

suite("renderStatusPage()", () => {
  test("says in its title and first line that all is well", () => {
    const html = page();
    assert.match(html, /<title>Holdfast: live<\/title>/);
    assert.match(text(html), /Everything is live\. Up 1 h 2 min, as of 2026-01-02T13:00:00\.000Z\./);
    assert.match(text(html), /Service live now 7 yes 42/);
    assert.doesNotMatch(text(html), /Held by the guard|Objects left out/);
  });

  test("is loud about everything that is not", () => {
    const kind = { kind: "Service", isComplete: true, objects: 7, resourceVersion: "42" } as const;
    const html = page({
      readiness: () => [{ name: "dns-sockets", isMet: false, reason: "0 of 2 open" }],
      kinds: () => [{ ...kind, state: "stale", ageSeconds: 90_000, reason: "connect ECONNREFUSED" }],
      held: () => [{ policy: "zero", feed: "services", reason: "a list of 0 after 7", ageSeconds: 61 }],
      rejections: () => ({
        byKind: new Map([["Service", 1]]),
        latest: [{ where: "shop/web", reason: "bad clusterIP" }],
      }),
      snapshot: () => ({
        ageSeconds: undefined,
        sizeBytes: 0,
        isLastWriteOk: false,
        problems: ["disk full"],
      }),
      syncWorker: () => ({
        isRunning: false,
        restarts: 2,
        lastFailure: "out of memory",
        deltaApplyMaxSeconds: 0,
      }),
    });
    const words = text(html);
    assert.match(html, /<title>Holdfast: not ready<\/title>/);
    assert.ok(
      words.includes(
        "Not ready (dns-sockets): 0 of 2 open; answering from the last known state: Service stale; the guard holds a list back; " +
          "the sync worker is not running; snapshot: disk full.",
      ),
      words,
    );
    assert.match(words, /Service stale 1 d 1 h ago 7 yes 42 connect ECONNREFUSED/);
    assert.match(words, /zero services 1 min 1 s ago a list of 0 after 7/);
    assert.match(words, /shop\/web bad clusterIP/);
    assert.match(words, /On disk nothing Last write failed Problem disk full/);
    assert.match(words, /Sync worker not running Restarts 2 Last failure out of memory/);
  });

  test("needs nothing from elsewhere, and runs nothing", () => {
    assert.doesNotMatch(page(), /<script|<img|<link|<iframe|https?:|url\(|@import| on\w+=/i);
  });

  test("shows what comes from outside as text", () => {
    const evil = `<img src=x onerror="alert(1)">&`;
    const html = page({
      version: evil,
      rejections: () => ({ byKind: new Map(), latest: [{ where: evil, reason: evil }] }),
      held: () => [{ policy: evil, feed: evil, reason: evil, ageSeconds: 1 }],
      snapshot: () => ({ ageSeconds: 1, sizeBytes: 1, isLastWriteOk: true, problems: [evil] }),
      readiness: () => [{ name: evil, isMet: false, reason: evil }],
      api: () => ({ requestsByOutcome: new Map([[evil, 1]]), watchRestarts: 0 }),
    });
    assert.doesNotMatch(html, /<img/);
    assert.ok(html.includes("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;"));
  });
});
