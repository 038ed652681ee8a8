import type { Clock, Timer } from "../../base/clock.ts";
import { type ApiFailure, isServerWide, oneLine, retryAfterMsOf, statusFailure } from "./api-failure.ts";
import type { ApiGate, Pass } from "./api-gate.ts";
import type { ApiExchange, ApiTransport } from "./api-transport.ts";
import type { RequestKind } from "./request-budget.ts";

export interface ApiCall {
  /** What it is charged as. */
  readonly charge: RequestKind;
  readonly path: string;
  readonly accept: string;
  /** The call fails when nothing comes for so long, at any point. */
  readonly silenceMs: number;
}

/** Exactly one of `onEnd` and `onFailure` is called, once and last, unless the call is aborted. */
export interface ApiCallHandler {
  /** The request has to wait, and this is why. */
  onWaiting(reason: string): void;
  /** The server answered 200; the body follows. */
  onOpen(): void;
  /** What it returns ends the call, and comes back through `onFailure`. The chunk is valid until it returns. */
  onData(chunk: Uint8Array): ApiFailure | undefined;
  onEnd(): void;
  onFailure(failure: ApiFailure): void;
}

/** An error document longer than this is not a Status. */
const MAX_ERROR_BODY_BYTES = 16 * 1024;

/** Requests as the reflectors make them: through the gate, watched for silence, with one kind of failure. */
export class ApiCaller {
  readonly #transport: ApiTransport;
  readonly #gate: ApiGate;
  readonly #clock: Clock;

  constructor(io: { transport: ApiTransport; gate: ApiGate; clock: Clock }) {
    this.#transport = io.transport;
    this.#gate = io.gate;
    this.#clock = io.clock;
  }

  /** Handler functions may be called before this returns. @returns Aborts; nothing is called afterwards. */
  call(call: ApiCall, handler: ApiCallHandler): RunningCall {
    const running = new RunningCall(call, handler, this.#clock);
    running.enter(this.#gate, this.#transport);
    return running;
  }
}

export class RunningCall {
  readonly #call: ApiCall;
  readonly #handler: ApiCallHandler;
  readonly #clock: Clock;
  #silenceMs: number;
  #leaveGate: () => void = () => {};
  #pass: Pass | undefined;
  #exchange: ApiExchange | undefined;
  #silenceTimer: Timer | undefined;
  #lastByteAtMs = 0;
  #isDone = false;
  /** Body of an answer other than 200. */
  #errorBody: { status: number; retryAfter: string | undefined; text: string } | undefined;

  constructor(call: ApiCall, handler: ApiCallHandler, clock: Clock) {
    this.#call = call;
    this.#handler = handler;
    this.#clock = clock;
    this.#silenceMs = call.silenceMs;
  }

  enter(gate: ApiGate, transport: ApiTransport): void {
    this.#leaveGate = gate.enter(this.#call.charge, {
      waiting: (reason) => {
        if (!this.#isDone) this.#handler.onWaiting(reason);
      },
      admitted: (pass) => this.#start(pass, transport),
    });
    // Aborted by what it was told while it was entering.
    if (this.#isDone) this.#leaveGate();
  }

  /** Idempotent. */
  abort(): void {
    if (this.#isDone) return;
    this.#close();
    this.#leaveGate();
    this.#pass?.released();
  }

  #start(pass: Pass, transport: ApiTransport): void {
    if (this.#isDone) {
      pass.released();
      return;
    }
    this.#pass = pass;
    this.#lastByteAtMs = this.#clock.nowMs();
    this.#watchSilence();
    this.#exchange = transport.get(
      { path: this.#call.path, accept: this.#call.accept },
      {
        onResponse: (status, headers) => this.#onResponse(status, headers["retry-after"]),
        onData: (chunk) => this.#onData(chunk),
        onEnd: () => this.#onEnd(),
        onError: (error) => this.#fail({ type: "transport", reason: oneLine(error.message) }),
      },
    );
  }

  /** Another patience from now on. */
  setSilenceMs(silenceMs: number): void {
    this.#silenceMs = silenceMs;
    if (this.#isDone || this.#silenceTimer === undefined) return;
    this.#silenceTimer.cancel();
    this.#watchSilence();
  }

  /** One timer that looks back, instead of one set anew for every chunk. */
  #watchSilence(): void {
    this.#silenceTimer = this.#clock.setTimer(this.#patienceMs(), () => {
      // Less than a millisecond is rounding, of a clock that counts in fractions.
      if (this.#patienceMs() >= 1) this.#watchSilence();
      else this.#fail({ type: "silent", reason: `nothing came for ${Math.round(this.#silenceMs / 1000)} s` });
    });
  }

  #patienceMs(): number {
    return this.#lastByteAtMs + this.#silenceMs - this.#clock.nowMs();
  }

  #onResponse(status: number, retryAfter: string | undefined): void {
    if (this.#isDone) return;
    this.#lastByteAtMs = this.#clock.nowMs();
    if (status !== 200) {
      this.#errorBody = { status, retryAfter, text: "" };
      return;
    }
    this.#pass?.succeeded();
    this.#handler.onOpen();
  }

  #onData(chunk: Uint8Array): void {
    if (this.#isDone) return;
    this.#lastByteAtMs = this.#clock.nowMs();
    if (this.#errorBody !== undefined) {
      const { length } = this.#errorBody.text;
      if (length < MAX_ERROR_BODY_BYTES) this.#errorBody.text += Buffer.from(chunk).toString("latin1");
      return;
    }
    const failure = this.#handler.onData(chunk);
    if (failure !== undefined) this.#fail(failure);
  }

  #onEnd(): void {
    if (this.#isDone) return;
    if (this.#errorBody !== undefined) {
      const { status, retryAfter, text } = this.#errorBody;
      this.#fail(
        statusFailure(parseBody(text), { httpStatus: status, retryAfter, wallMs: this.#clock.wallMs() }),
      );
      return;
    }
    this.#close();
    this.#handler.onEnd();
  }

  #fail(failure: ApiFailure): void {
    if (this.#isDone) return;
    this.#close();
    if (isServerWide(failure)) this.#pass?.failed(failure.reason, retryAfterMsOf(failure));
    else this.#pass?.succeeded();
    this.#handler.onFailure(failure);
  }

  #close(): void {
    this.#isDone = true;
    this.#silenceTimer?.cancel();
    this.#exchange?.abort();
  }
}

/** Undefined where the body is no JSON: an error page of something between the server and us. */
function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
