import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { systemClock } from "../../../../src/base/clock.ts";
import { Model } from "../../../../src/model/model.ts";
import type { Feed } from "../../../../src/model/feed.ts";
import type { RecordBatch } from "../../../../src/model/record-batch.ts";
import { nodeManifestFiles } from "../../../../src/sources/manifests/manifest-files.ts";
import { createManifestSource } from "../../../../src/sources/manifests/manifest-source.ts";
import type { Verdict } from "../../../../src/sources/source.ts";
import { RecordingLog } from "../../../support/recording-log.ts";
import { RecordingSink } from "../../../support/recording-sink.ts";

async function createDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "manifests-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

function service(name: string): string {
  return `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {clusterIP: 10.96.0.10}\n`;
}

/** Resolves when the services on real files are what is expected; the test's own timeout ends the wait. */
class WaitingSink extends RecordingSink {
  readonly #model = new Model();
  #expected = "";
  #resolve: (() => void) | undefined;

  override replace(feed: Feed, batch: RecordBatch): Verdict {
    this.#model.replace(feed, batch);
    this.#compare();
    return { outcome: "accepted" };
  }

  async expect(services: string): Promise<void> {
    this.#expected = services;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resolve = resolve;
    this.#compare();
    await promise;
  }

  #compare(): void {
    const services = Array.from(this.#model.services(), ({ name }) => name).sort();
    if (services.join(" ") === this.#expected) this.#resolve?.();
  }
}

function startSource(t: TestContext, directory: string): WaitingSink {
  const sink = new WaitingSink();
  const io = { clock: systemClock, log: new RecordingLog(), files: nodeManifestFiles };
  const source = createManifestSource({ directory }, io, sink);
  source.start();
  t.after(() => source.stop());
  return sink;
}

test("list() takes manifests, not hidden files, other names or directories", async (t) => {
  const directory = await createDirectory(t);
  for (const name of ["b.yaml", "a.YML", "c.json", ".hidden.yaml", "notes.txt", "yaml"]) {
    await writeFile(join(directory, name), "");
  }
  await mkdir(join(directory, "d.yaml"));
  await symlink("nowhere", join(directory, "dangling.yaml"));
  const { files } = await nodeManifestFiles.list(directory);
  assert.deepEqual(
    files.map(({ name }) => name),
    ["a.YML", "b.yaml", "c.json", "dangling.yaml"],
  );
  assert.match(files[3].stamp, /ENOENT/);
});

test(
  "files that are written, replaced by a rename, and removed are followed",
  { timeout: 20_000 },
  async (t) => {
    const directory = await createDirectory(t);
    await writeFile(join(directory, "a.yaml"), service("one"));
    const sink = startSource(t, directory);
    await sink.expect("one");
    await writeFile(join(directory, "b.yaml"), service("two"));
    await sink.expect("one two");
    await writeFile(join(directory, ".a.yaml.new"), service("three"));
    await rename(join(directory, ".a.yaml.new"), join(directory, "a.yaml"));
    await sink.expect("three two");
    await rm(join(directory, "b.yaml"));
    await sink.expect("three");
  },
);

test("the swap of a ConfigMap volume is followed", { timeout: 20_000 }, async (t) => {
  const directory = await createDirectory(t);
  const version = async (name: string, content: string): Promise<void> => {
    await mkdir(join(directory, name));
    await writeFile(join(directory, name, "web.yaml"), content);
    await symlink(name, join(directory, "..data_tmp"));
    await rename(join(directory, "..data_tmp"), join(directory, "..data"));
  };
  await version("..v1", service("one"));
  await symlink("..data/web.yaml", join(directory, "web.yaml"));
  const sink = startSource(t, directory);
  await sink.expect("one");
  await version("..v2", service("two"));
  await sink.expect("two");
});

test(
  "a directory that appears late, and one that is replaced, are followed",
  { timeout: 20_000 },
  async (t) => {
    const parent = await createDirectory(t);
    const directory = join(parent, "manifests");
    const sink = startSource(t, directory);
    await mkdir(directory);
    await writeFile(join(directory, "a.yaml"), service("one"));
    await sink.expect("one");
    await mkdir(join(parent, "next"));
    await writeFile(join(parent, "next", "a.yaml"), service("two"));
    await rename(directory, join(parent, "old"));
    await rename(join(parent, "next"), directory);
    await sink.expect("two");
  },
);

test("a directory that may not be read is an error with its code", async (t) => {
  if (process.getuid?.() === 0) {
    t.skip("root may read everything");
    return;
  }
  const directory = await createDirectory(t);
  await chmod(directory, 0o000);
  await assert.rejects(nodeManifestFiles.list(directory), { code: "EACCES" });
});
