import { execFile } from "node:child_process";
import { promisify } from "node:util";

export interface LoadResult {
  readonly completed: number;
  readonly lost: number;
  readonly queriesPerSecond: number;
  /** As dnsperf sums them up: `NOERROR 800 (80.00%), NXDOMAIN 200 (20.00%)`. */
  readonly responseCodes: string;
  readonly averageMs: number;
  readonly maxMs: number;
  /** One for each reply, in milliseconds; empty unless asked for. */
  readonly latenciesMs: readonly number[];
}

export interface LoadOptions {
  readonly port: number;
  /** Lines of `name type`. */
  readonly queryFile: string;
  readonly seconds: number;
  /** Default: as fast as the replies come. */
  readonly queriesPerSecond?: number;
  /** Costs a line of output per query: for fixed rates only. */
  readonly withLatencies?: boolean;
}

const OUTSTANDING_QUERIES = 100;
const CLIENT_SOCKETS = 8;

/** Runs dnsperf (DNS-OARC) against a server on loopback; it needs far less CPU per query than any server here. */
export async function runDnsperf(options: LoadOptions): Promise<LoadResult> {
  const args = [
    `-s127.0.0.1`,
    `-p${options.port}`,
    `-d${options.queryFile}`,
    `-l${options.seconds}`,
    `-q${OUTSTANDING_QUERIES}`,
    `-c${CLIENT_SOCKETS}`,
    "-t2",
    ...(options.queriesPerSecond === undefined ? [] : [`-Q${options.queriesPerSecond}`]),
    ...(options.withLatencies === true ? ["-v"] : []),
  ];
  // Where single waits are measured, the instrument must not wait itself: on a busy machine its own turn takes milliseconds to come (needs root).
  const command = options.withLatencies === true ? ["chrt", "--fifo", "50", "dnsperf"] : ["dnsperf"];
  const { stdout } = await promisify(execFile)(command[0], [...command.slice(1), ...args], {
    maxBuffer: 1 << 28,
  });
  return {
    completed: numberAfter(stdout, /Queries completed:\s+(\d+)/),
    lost: numberAfter(stdout, /Queries lost:\s+(\d+)/),
    queriesPerSecond: numberAfter(stdout, /Queries per second:\s+([\d.]+)/),
    responseCodes: /Response codes:\s+(.*)/.exec(stdout)?.[1] ?? "",
    averageMs: numberAfter(stdout, /Average Latency \(s\):\s+([\d.]+)/) * 1000,
    maxMs: numberAfter(stdout, /Average Latency .*max ([\d.]+)/) * 1000,
    // "> NOERROR name type 0.000123"
    latenciesMs: Array.from(
      stdout.matchAll(/^> \S+ \S+ \S+ ([\d.]+)$/gm),
      (match) => Number(match[1]) * 1000,
    ),
  };
}

function numberAfter(text: string, pattern: RegExp): number {
  const match = pattern.exec(text);
  if (match === null)
    throw new Error(`dnsperf printed nothing that matches ${pattern}:\n${text.slice(-2000)}`);
  return Number(match[1]);
}
