import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { get } from "node:http";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** `npm start`, as a newcomer meets it: its processes, its screen, and the commands that the screen tells to try. */

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
/** The drill takes seven seconds; a machine that is busy takes longer. */
const GIVE_UP_MS = 120_000;

async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `127.0.0.1:${port}`;
}

interface Demo {
  readonly process: ChildProcess;
  readonly listen: string;
  readonly admin: string;
  /** Everything shown so far, on both streams. */
  screen(): string;
  /** Resolves when the screen matches; fails when the demo ends first. */
  shows(pattern: RegExp): Promise<RegExpExecArray>;
  /** The exit code. */
  ended(): Promise<number | null>;
}

async function startDemo(args: readonly string[], listen?: string): Promise<Demo> {
  const addresses = { listen: listen ?? (await freeAddress()), admin: await freeAddress() };
  const script = join(ROOT, "dist", "demo.cjs");
  const child = spawn(
    process.execPath,
    [script, "--listen", addresses.listen, "--admin", addresses.admin, ...args],
    {
      cwd: ROOT,
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    },
  );
  const ended = once(child, "close") as Promise<[number | null]>;
  let screen = "";
  let shown = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      screen += text;
      shown.resolve();
      shown = Promise.withResolvers();
    });
  }
  return {
    process: child,
    ...addresses,
    screen: () => screen,
    async shows(pattern) {
      for (let match = pattern.exec(screen); ; match = pattern.exec(screen)) {
        if (match !== null) return match;
        assert.equal(child.exitCode, null, `the demo ended without ${pattern}:\n${screen}`);
        await Promise.race([shown.promise, ended]);
      }
    },
    ended: async () => (await ended)[0],
  };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function fetchStatus(url: string): Promise<number | undefined> {
  const request = get(url, { agent: false });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

/** What a command on the screen must print, by a part of the command. */
const EXPECTED: readonly { readonly command: string; readonly prints: RegExp }[] = [
  { command: "lookup web.shop", prints: /10\.96\.1\.10[\s\S]*fd00:10:96::1:10/ },
  { command: "lookup _https._tcp.web.shop", prints: /0 \d+ 443 web\.shop\.svc\.cluster\.local\./ },
  { command: "lookup db-0.db.shop", prints: /10\.244\.\d+\.\d+/ },
  {
    command: "lookup legacy-ledger.shop",
    prints: /CNAME\s+ledger\.payments\.svc\.cluster\.local\.[\s\S]*10\.96\./,
  },
  { command: "lookup 10.96.0.10", prints: /kube-dns\.kube-system\.svc\.cluster\.local\./ },
  { command: "lookup cache.shop", prints: /(10\.244\.\d+\.\d+[\s\S]*){4}/ },
  { command: "lookup flash-sale.shop", prints: /10\.96\.200\.1|NXDOMAIN/ },
  { command: "lookup nowhere.shop", prints: /NXDOMAIN/ },
  { command: "dig @", prints: /ANSWER SECTION[\s\S]*10\.96\.1\.10/ },
];

/** Runs a line of the screen in a shell, as the reader would; gives everything it printed, whatever its exit code. */
async function runCommand(line: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("sh", ["-c", line], { cwd: ROOT });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return `${stdout}${stderr}`;
  }
}

suite("npm start", { timeout: GIVE_UP_MS }, () => {
  test("answers within 10 s, and every command on its screen does what is said beside it", async () => {
    const demo = await startDemo([]);
    try {
      await demo.shows(/q quit/);
      const [, seconds] = await demo.shows(/first answer after (\d+\.\d) s/);
      assert.ok(Number(seconds) <= 10, seconds);
      const commands = demo
        .screen()
        .split("\n")
        .map((line) => line.split("  #")[0].trim())
        .filter((line) => line.startsWith("npx ") || line.startsWith("dig "));
      assert.equal(commands.length, EXPECTED.length);
      await Promise.all(
        EXPECTED.map(async ({ command, prints }) => {
          const line = commands.find((candidate) => candidate.includes(command));
          assert.ok(line !== undefined, `"${command}" is not on the screen:\n${demo.screen()}`);
          const printed = await runCommand(line);
          const isMissing = line.startsWith("dig ") && /dig: (command )?not found/.test(printed);
          if (!isMissing) assert.match(printed, prints, line);
        }),
      );
      assert.equal(await fetchStatus((await demo.shows(/http:\S+\/status/))[0]), 200);
      demo.process.stdin?.write("q");
      assert.equal(await demo.ended(), 0, demo.screen());
    } finally {
      demo.process.kill("SIGTERM");
    }
  });

  test("-- --outage loses no answer and gives no wrong one, and leaves nothing behind", async () => {
    const demo = await startDemo(["--outage"]);
    try {
      const exitCode = await demo.ended();
      const screen = demo.screen();
      assert.equal(exitCode, 0, screen);
      const [, asked] = await demo.shows(/asked +(\d+) questions/);
      assert.ok(Number(asked) > 1_000, screen);
      assert.match(screen, /lost +0\n/);
      assert.match(screen, /wrong +0\n/);
      assert.match(screen, /marked stale +[1-9]/);
      const pids = [...screen.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid));
      assert.equal(pids.length, 2, screen);
      for (const pid of pids) assert.equal(isRunning(pid), false);
    } finally {
      demo.process.kill("SIGTERM");
    }
  });

  test("goes through an outage and back with the keys, and ends on SIGTERM", async () => {
    const demo = await startDemo([]);
    try {
      await demo.shows(/q quit/);
      demo.process.stdin?.write("o");
      await demo.shows(/lost +0\n[\s\S]*r bring the API server back/);
      demo.process.stdin?.write("r");
      await demo.shows(/agent live again after/);
      demo.process.kill("SIGTERM");
      assert.equal(await demo.ended(), 0, demo.screen());
    } finally {
      demo.process.kill("SIGTERM");
    }
  });

  test("names a port that is taken, and how to choose another", async () => {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const { port } = socket.address();
    try {
      const demo = await startDemo([], `127.0.0.1:${port}`);
      assert.equal(await demo.ended(), 1);
      const message = `Cannot listen on 127.0.0.1:${port} (UDP): another process has the port. Choose another address: npm start -- --listen 127.0.0.1:`;
      assert.ok(demo.screen().startsWith(message), demo.screen());
    } finally {
      socket.close();
    }
  });

  test("-- --kubeconfig FILE runs the agent alone, with every argument", async () => {
    const script = join(ROOT, "dist", "demo.cjs");
    const child = spawn(process.execPath, [script, "--kubeconfig", "/nowhere/kubeconfig", "--ttl", "many"], {
      cwd: ROOT,
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
    const [exitCode] = (await once(child, "close")) as [number];
    assert.equal(exitCode, 2);
    assert.match(said, /--ttl/);
  });
});
