import type { AnswerCase } from "./answer-case.ts";
import { CLUSTER_IP_CASES } from "./cluster-ip-cases.ts";
import { EXTERNAL_NAME_CASES } from "./external-name-cases.ts";
import { HEADLESS_CASES } from "./headless-cases.ts";
import { PROTOCOL_CASES } from "./protocol-cases.ts";
import { STATE_CASES } from "./state-cases.ts";
import { POD_CASES, REVERSE_CASES, ZONE_CASES } from "./zone-cases.ts";

/** What must be answered, in one table for every way to an answer. */
export const ANSWER_CASES: readonly AnswerCase[] = [
  ...CLUSTER_IP_CASES,
  ...HEADLESS_CASES,
  ...EXTERNAL_NAME_CASES,
  ...ZONE_CASES,
  ...POD_CASES,
  ...REVERSE_CASES,
  ...STATE_CASES,
  ...PROTOCOL_CASES,
];
