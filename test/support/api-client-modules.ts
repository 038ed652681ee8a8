/** `node api-client-modules.ts URL CA-FILE`: makes one request and prints its outcome and which unwanted built-in modules it loaded. */
import { systemClock } from "../../src/base/clock.ts";
import { createApiClient } from "../../src/sources/kubernetes/api-client.ts";
import { Credentials } from "../../src/sources/kubernetes/credentials.ts";
import { RecordedExchange } from "./api-exchange.ts";
import { RecordingLog } from "./recording-log.ts";

const UNWANTED = /http2|undici/;

const [, , server, caFile] = process.argv;
const io = { clock: systemClock, log: new RecordingLog() };
const source = {
  inputs: () => ({ digest: "", isComplete: false }),
  load: async () => ({
    server,
    ca: { file: caFile },
    skipTlsVerify: false,
    headers: {},
    needsRefresh: false,
    presents: "nothing",
  }),
};
const loadedBefore = modules();
const client = createApiClient({ version: "0" }, { ...io, credentials: new Credentials(source, io) });
const outcome = await new RecordedExchange(client, "/").outcome();
const unwanted = modules().filter((name) => UNWANTED.test(name) && !loadedBefore.includes(name));
process.stdout.write(JSON.stringify({ ...outcome, unwanted }));

function modules(): string[] {
  return (process as unknown as { moduleLoadList: string[] }).moduleLoadList.slice();
}
