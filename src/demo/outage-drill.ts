import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { ProbeReport } from "./prober.ts";
import { Prober } from "./prober.ts";
import type { ProbeQuestion } from "./probe-questions.ts";
import { pause } from "./readiness.ts";
import type { RunningDemo } from "./running-demo.ts";

const QUESTIONS_PER_SECOND = 400;

/** Also the time in which the latest change gets to disk. */
const BEFORE_MS = 2_000;
const WITHOUT_API_MS = 1_000;
const AFTER_MS = 2_500;
const SNAPSHOT_TIMEOUT_MS = 10_000;

export interface DrillReport extends ProbeReport {
  readonly elapsedMs: number;
  /** Since the API server was killed: what the answers are older than nothing can be. */
  readonly dataAgeMs: number;
}

/**
 * The outage: the API server is killed, then the agent is replaced by one that has nothing but the snapshot. Meanwhile
 * questions are asked without a pause; every answer is compared with what the cluster had.
 *
 * @param say Told each step as it happens, one line.
 */
export async function runOutageDrill(
  demo: RunningDemo,
  questions: readonly ProbeQuestion[],
  io: { clock: Clock; random: Random },
  say: (line: string) => void,
): Promise<DrillReport> {
  const { clock } = io;
  const startedMs = clock.nowMs();
  const prober = new Prober(demo.options.listen, questions, QUESTIONS_PER_SECOND, io);
  prober.start();
  let killedMs = startedMs;
  try {
    say(`asking ${QUESTIONS_PER_SECOND} questions per second`);
    await demo.waitForSnapshot(SNAPSHOT_TIMEOUT_MS);
    await pause(BEFORE_MS, clock);
    const apiPid = demo.apiPid;
    await demo.killApi();
    killedMs = clock.nowMs();
    say(`API server killed (SIGKILL, pid ${apiPid})`);
    await pause(WITHOUT_API_MS, clock);
    const { readyMs, retirePredecessor } = await demo.startSuccessor();
    say(
      `a new agent (pid ${demo.agentPid}) started from the snapshot alone: ready after ${Math.round(readyMs)} ms`,
    );
    const drainedMs = await retirePredecessor();
    say(`the old agent answered what it had received and left (${Math.round(drainedMs)} ms)`);
    await pause(AFTER_MS, clock);
  } finally {
    await prober.stop();
  }
  const endedMs = clock.nowMs();
  return { ...(await prober.stop()), elapsedMs: endedMs - startedMs, dataAgeMs: endedMs - killedMs };
}
