import type { ChildProcess } from "node:child_process";
import type { Clock } from "../../base/clock.ts";
import { digestInputs } from "./cluster-identity.ts";
import type { CredentialsReply, CredentialsRequest } from "./credentials-messages.ts";
import { findCredentials } from "./credentials-place.ts";
import type { CredentialsOptions } from "./credentials-place.ts";
import type { CredentialsSource, ResolvedCredentials } from "./credentials.ts";

export interface CredentialsLoaderOptions extends CredentialsOptions {
  /** Path of `credentials-worker`, as source or bundled. */
  readonly workerFile: string;
}

/** How long a plugin may take; a cloud login takes seconds. */
const TIMEOUT_MS = 60_000;

/**
 * Finds and resolves the credentials that the options ask for.
 *
 * In a pod that is two paths and an address, the same as in client-node's `loadFromCluster`; they are put together here, so
 * that an agent in a cluster never starts the process that client-node needs (60 MiB for a tenth of a second, on every node).
 */
export function createCredentialsLoader(
  options: CredentialsLoaderOptions,
  io: { readonly clock: Clock },
): CredentialsSource {
  return {
    inputs: () => digestInputs(options),
    async load() {
      const place = findCredentials(options);
      if (place.type === "nowhere") throw new Error(place.problem);
      if (place.type === "kubeconfig") return resolveInProcess(place, options, io.clock);
      return {
        server: place.server,
        ca: { file: place.caFile },
        token: { file: place.tokenFile },
        skipTlsVerify: false,
        headers: {},
        needsRefresh: false,
        presents: `the token in ${place.tokenFile}`,
      };
    },
  };
}

function resolveInProcess(
  request: CredentialsRequest,
  options: CredentialsLoaderOptions,
  clock: Clock,
): Promise<ResolvedCredentials> {
  const where = `kubeconfig ${request.files.join(" and ")}`;
  // Loaded where it is used: 2.6 MiB that an agent in a pod does not need.
  const { fork } = process.getBuiltinModule("node:child_process");
  return new Promise((resolve, reject) => {
    const child = fork(options.workerFile, {
      // Its own process group, for `killGroup`; the agent's flags (heap limits, inspector) are not the child's.
      detached: true,
      execArgv: [],
      env: options.environment,
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    const settle = (finish: () => void): void => {
      timer.cancel();
      child.removeAllListeners();
      child.on("error", () => {});
      killGroup(child);
      finish();
    };
    const fail = (problem: string): void => settle(() => reject(new Error(problem)));
    const timer = clock.setTimer(TIMEOUT_MS, () =>
      fail(`${where}: no credentials after ${TIMEOUT_MS / 1000} s; does its exec plugin wait for a login?`),
    );
    child.once("message", (reply: CredentialsReply) => {
      if ("problem" in reply) fail(reply.problem);
      else settle(() => resolve(reply.credentials));
    });
    child.once("error", (error) => fail(`cannot start ${options.workerFile}: ${error.message}`));
    child.once("exit", (code, signal) => {
      fail(`${where}: the credentials process ended without a reply (${signal ?? `exit code ${code}`})`);
    });
    child.send(request, (error) => {
      if (error !== null) fail(`${where}: the credentials process cannot be asked: ${error.message}`);
    });
  });
}

/** Ends the process and the plugins it started. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Already gone.
  }
}
