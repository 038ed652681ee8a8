import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { QueryHandler } from "./query-handler.ts";
import type { ServerMeters } from "./server-meters.ts";

/** What every socket of the server needs. */
export interface ServerContext {
  readonly handler: QueryHandler;
  readonly meters: ServerMeters;
  readonly clock: Clock;
  readonly log: Logger;
}

/** For logs of things that can happen on every packet: the first, second, fourth, eighth ... is worth a line. */
export function isWorthLogging(count: number): boolean {
  return (count & (count - 1)) === 0;
}
