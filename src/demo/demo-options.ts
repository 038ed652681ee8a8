import type { SocketAddress } from "../base/socket-address.ts";
import { parseSocketAddress, SOCKET_ADDRESS_FORM } from "../config/addresses.ts";

/** How `npm start` was called. */
export type DemoCommand =
  | { readonly type: "help" }
  /** What is wrong, and what is accepted; one line. */
  | { readonly type: "misuse"; readonly problem: string }
  /** The agent alone, against a cluster that exists: every argument is the agent's. */
  | { readonly type: "agent"; readonly agentArgs: readonly string[] }
  | ({ readonly type: "demo" } & DemoOptions);

export interface DemoOptions {
  readonly listen: SocketAddress;
  readonly admin: SocketAddress;
  /** Run the outage once and end. */
  readonly outage: boolean;
  /** Handed to the agent as they are. */
  readonly agentArgs: readonly string[];
}

/** Who names a source of facts wants the agent, not the demo. */
const SOURCE_FLAGS = ["--kubeconfig", "--context", "--source", "--manifests", "--config"];
/** The demo keeps the data and the addresses in its own hands: the drill needs them. */
const DEMO_FLAGS = new Set(["--listen", "--admin", "--outage", "--help"]);

const DEFAULT_LISTEN = "127.0.0.1:5353";
const DEFAULT_ADMIN = "127.0.0.1:9853";

export const DEMO_HELP = `Usage: npm start                                an agent beside an embedded sample cluster
       npm start -- --outage                    the outage drill, once; exit code 0 when no answer was lost or wrong
       npm start -- --listen 127.0.0.1:5454     the same on another address (also --admin ADDR:PORT)
       npm start -- --kubeconfig FILE           an agent against a real cluster

Other flags are the agent's: npx holdfast agent --help
`;

export function parseDemoArgs(args: readonly string[]): DemoCommand {
  const names = new Set(args.map((argument) => argument.split("=", 1)[0]));
  if (SOURCE_FLAGS.some((flag) => names.has(flag))) return { type: "agent", agentArgs: args };
  if (names.has("--help") || names.has("-h")) return { type: "help" };
  const values = new Map([
    ["--listen", DEFAULT_LISTEN],
    ["--admin", DEFAULT_ADMIN],
  ]);
  const agentArgs: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const [flag, ...inline] = args[at].split("=");
    if (values.has(flag)) values.set(flag, inline.length > 0 ? inline.join("=") : (args[(at += 1)] ?? ""));
    else if (!DEMO_FLAGS.has(flag)) agentArgs.push(args[at]);
  }
  const addresses = new Map<string, SocketAddress>();
  for (const [flag, text] of values) {
    const parsed = parseSocketAddress(text);
    const problem = "problem" in parsed ? parsed.problem : portProblem(parsed.value);
    if (problem !== undefined)
      return { type: "misuse", problem: `${flag} "${text}": ${problem}; accepted is ${SOCKET_ADDRESS_FORM}` };
    if ("value" in parsed) addresses.set(flag, parsed.value);
  }
  const [listen, admin] = addresses.values();
  return { type: "demo", listen, admin, outage: names.has("--outage"), agentArgs };
}

/** The screen prints commands to copy: a port that the system chooses cannot be in them. */
function portProblem({ port }: SocketAddress): string | undefined {
  return port === 0 ? "the demo needs a port it can print" : undefined;
}
