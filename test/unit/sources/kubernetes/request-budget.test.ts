import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createBudgetFile } from "../../../../src/sources/kubernetes/request-budget-file.ts";
import type { BudgetFile } from "../../../../src/sources/kubernetes/request-budget-file.ts";
import { createRequestBudget } from "../../../../src/sources/kubernetes/request-budget.ts";
import type { RequestBudget, RequestKind } from "../../../../src/sources/kubernetes/request-budget.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { RecordingLog } from "../../../support/recording-log.ts";

const HOUR_MS = 3_600_000;

class MemoryFile implements BudgetFile {
  readonly name = "memory";
  text: string | undefined;
  writes = 0;
  read(): string | undefined {
    return this.text;
  }
  write(text: string): void {
    this.writes += 1;
    this.text = text;
  }
}

function errorWithCode(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function budgetOver(file: BudgetFile, clock = new FakeClock(), log = new RecordingLog()): RequestBudget {
  return createRequestBudget({ file, clock, log });
}

/** How many requests go out before the budget says to wait. */
function takeAll(budget: RequestBudget, kind: RequestKind): number {
  let taken = 0;
  while (budget.take(kind) === 0) taken += 1;
  return taken;
}

test("a fresh budget allows the burst of each kind and then says when the next one may go", () => {
  const clock = new FakeClock();
  const budget = budgetOver(new MemoryFile(), clock);
  assert.equal(takeAll(budget, "list"), 12);
  assert.equal(budget.take("list"), HOUR_MS / 12);
  assert.equal(takeAll(budget, "request"), 120 - 12, "a list is also a request");
  assert.equal(budget.take("request"), HOUR_MS / 240);

  clock.advance(HOUR_MS / 240);
  assert.equal(budget.take("request"), 0);
  assert.equal(budget.take("request"), HOUR_MS / 240);
});

test("a list waits for the later of its two tokens, and takes none before both are there", () => {
  const clock = new FakeClock();
  const budget = budgetOver(new MemoryFile(), clock);
  assert.equal(takeAll(budget, "request"), 120);
  assert.equal(budget.take("list"), HOUR_MS / 240);
  clock.advance(HOUR_MS / 240);
  assert.equal(budget.take("list"), 0);
  clock.advance(HOUR_MS);
  assert.equal(takeAll(budget, "list"), 12, "the refused lists took nothing");
});

test("a crash loop cannot multiply the requests: over an hour no more than burst and refill", () => {
  const file = new MemoryFile();
  let wallMs = Date.UTC(2026, 0, 1);
  const taken = { request: 0, list: 0 };
  for (let start = 0; start < 360; start += 1) {
    // Each start has a monotonic clock of its own, and dies right after its requests.
    const budget = budgetOver(file, new FakeClock({ wallMs }));
    for (let feed = 0; feed < 5; feed += 1) if (budget.take("list") === 0) taken.list += 1;
    for (let feed = 0; feed < 5; feed += 1) if (budget.take("request") === 0) taken.request += 1;
    wallMs += 10_000;
  }
  assert.ok(taken.list <= 24 && taken.list >= 20, `lists: ${taken.list}`);
  assert.ok(taken.list + taken.request <= 360 && taken.request > 250, `requests: ${taken.request}`);
});

test("what is taken is written before take() returns", () => {
  const file = new MemoryFile();
  budgetOver(file).take("request");
  assert.equal(file.writes, 1);
  assert.equal(takeAll(budgetOver(file), "request"), 119);
});

test("a wall clock that goes back gives nothing, takes nothing, and does not stop the refill", () => {
  const file = new MemoryFile();
  const clock = new FakeClock();
  const budget = budgetOver(file, clock);
  assert.equal(takeAll(budget, "request"), 120);
  clock.setWallMs(Date.UTC(1990, 0, 1));
  assert.notEqual(budget.take("request"), 0);
  assert.notEqual(budgetOver(file, new FakeClock({ wallMs: Date.UTC(1980, 0, 1) })).take("request"), 0);

  clock.advance(HOUR_MS / 240);
  assert.equal(budget.take("request"), 0);
  assert.notEqual(budget.take("request"), 0);
});

test("a wall clock that jumps ahead fills the bucket and no more", () => {
  const file = new MemoryFile();
  assert.equal(takeAll(budgetOver(file), "request"), 120);
  assert.equal(takeAll(budgetOver(file, new FakeClock({ wallMs: Date.UTC(2099, 0, 1) })), "request"), 120);
});

test("a wall clock that jumps ahead within a process gives nothing: the process knows how much time has passed", () => {
  const clock = new FakeClock();
  const budget = budgetOver(new MemoryFile(), clock);
  assert.equal(takeAll(budget, "request"), 120);
  clock.setWallMs(Date.UTC(2099, 0, 1));
  assert.equal(budget.take("request"), HOUR_MS / 240);
});

test("two agents on one file share one budget", () => {
  const file = new MemoryFile();
  const clock = new FakeClock();
  const first = budgetOver(file, clock);
  const second = budgetOver(file, clock);
  let taken = 0;
  for (let round = 0; round < 200; round += 1) {
    if (first.take("request") === 0) taken += 1;
    if (second.take("request") === 0) taken += 1;
  }
  assert.equal(taken, 120);
});

const DAMAGED = [
  { name: "empty", text: "" },
  { name: "cut off", text: '{"version":1,"wallMs":17' },
  { name: "not an object", text: "null" },
  { name: "another version", text: '{"version":2,"wallMs":1,"request":1,"list":1}' },
  { name: "negative tokens", text: '{"version":1,"wallMs":1,"request":-1,"list":1}' },
  { name: "tokens that are no number", text: '{"version":1,"wallMs":1,"request":"9","list":1}' },
  { name: "zero bytes", text: "\0".repeat(96) },
];
for (const { name, text } of DAMAGED) {
  test(`a damaged file (${name}) is reported once and written anew`, () => {
    const file = new MemoryFile();
    file.text = text;
    const log = new RecordingLog();
    const budget = budgetOver(file, new FakeClock(), log);
    assert.equal(budget.take("request"), 0);
    assert.equal(budget.take("request"), 0);
    assert.deepEqual(log.messages("warn"), ["the request budget's file is damaged; it is written anew"]);
    assert.equal(takeAll(budgetOver(file), "request"), 118);
  });
}

test("a file with more tokens than a bucket holds gives a full bucket", () => {
  const file = new MemoryFile();
  file.text = '{"version":1,"wallMs":1,"request":1e9,"list":1e9}';
  assert.equal(takeAll(budgetOver(file), "request"), 120);
});

test("without a writable file the budget holds within the process and says so once", () => {
  const log = new RecordingLog();
  const file: BudgetFile = {
    name: "/data/request-budget",
    read: () => undefined,
    write: () => {
      throw errorWithCode("EROFS");
    },
  };
  assert.equal(takeAll(budgetOver(file, new FakeClock(), log), "request"), 120);
  assert.deepEqual(log.messages("warn"), [
    "the request budget cannot be written; it does not survive a restart now",
  ]);
  assert.equal(log.lines[0].fields["file"], "/data/request-budget");
});

test("an unreadable file is reported once, and the budget goes on", () => {
  const log = new RecordingLog();
  const file: BudgetFile = {
    name: "/data/request-budget",
    read: () => {
      throw errorWithCode("EACCES");
    },
    write: () => {},
  };
  assert.equal(takeAll(budgetOver(file, new FakeClock(), log), "list"), 12);
  assert.deepEqual(log.messages("warn"), [
    "the request budget cannot be read; it does not survive a restart now",
  ]);
});

const directory = mkdtempSync(join(tmpdir(), "holdfast-budget-"));
after(() => rmSync(directory, { recursive: true }));

test("the file is made with its directory, replaced in place and never longer than its text", () => {
  const path = join(directory, "data", "request-budget");
  const budget = budgetOver(createBudgetFile(path));
  const sizes = new Set<number>();
  for (let round = 0; round < 50; round += 1) {
    budget.take(round % 10 === 0 ? "list" : "request");
    sizes.add(readFileSync(path).length);
  }
  assert.equal(sizes.size, 1, "one length, so that nothing of an older text stays behind a newer one");
  assert.equal(takeAll(budgetOver(createBudgetFile(path)), "list"), 7);
});

test("a path that cannot be a file is an error of read() and write(), not a crash", () => {
  const log = new RecordingLog();
  const file = join(directory, "file");
  writeFileSync(file, "");
  chmodSync(file, 0o600);
  const budget = budgetOver(createBudgetFile(join(file, "below")), new FakeClock(), log);
  assert.equal(budget.take("list"), 0);
  assert.equal(log.messages("warn").length, 2);
});
