import type { Clock } from "../../base/clock.ts";
import type { ApiCaller, RunningCall } from "./api-caller.ts";
import { type ApiFailure, isServerWide } from "./api-failure.ts";
import { asFields, asList } from "./projection-fields.ts";
import { SharedQuestion } from "./shared-question.ts";
import { SmallBody } from "./small-body.ts";

export interface ClusterUidHandler {
  onWaiting(reason: string): void;
  /** Empty where the cluster has no such Namespace, or does not let us see it. */
  onUid(uid: string): void;
  /** The server could not be asked. */
  onFailure(failure: ApiFailure): void;
}

const NAME = "kube-system";
/** A list of one, so that the RBAC verb is `list`, as for everything else; from the watch cache. */
const PATH = `/api/v1/namespaces?fieldSelector=metadata.name%3D${NAME}&limit=1&resourceVersion=0`;
const ACCEPT = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/**
 * Which cluster answers: the UID of its kube-system Namespace. Asked once for all feeds, before the first list after a
 * connection was lost, because what answers afterwards may be a cluster restored from nothing behind the same address.
 */
export class ClusterUid {
  readonly #caller: ApiCaller;
  readonly #clock: Clock;
  readonly #options: { readonly clusterUidMs: number; readonly listSilenceMs: number };
  readonly #question = new SharedQuestion<ClusterUidHandler>();
  #uid: string | undefined;
  #askedAtMs = 0;

  constructor(
    options: { clusterUidMs: number; listSilenceMs: number },
    io: { caller: ApiCaller; clock: Clock },
  ) {
    this.#options = options;
    this.#caller = io.caller;
    this.#clock = io.clock;
  }

  /** Calls the handler before or after it returns. */
  get(handler: ClusterUidHandler): void {
    if (this.#uid !== undefined && this.#clock.nowMs() - this.#askedAtMs < this.#options.clusterUidMs) {
      handler.onUid(this.#uid);
    } else this.#question.ask(handler, () => this.#ask());
  }

  /** Withdraws the question; the handler is not called afterwards. Idempotent. */
  withdraw(handler: ClusterUidHandler): void {
    this.#question.withdraw(handler);
  }

  /** It was found out by other means. */
  learn(uid: string): void {
    this.#uid = uid;
    this.#askedAtMs = this.#clock.nowMs();
  }

  /** The server was lost: what answers next may be another cluster. */
  endEpoch(): void {
    this.#uid = undefined;
  }

  #ask(): RunningCall {
    const body = new SmallBody();
    const call = {
      charge: "request",
      path: PATH,
      accept: ACCEPT,
      silenceMs: this.#options.listSilenceMs,
    } as const;
    return this.#caller.call(call, {
      onWaiting: (reason) => this.#question.waiting(reason),
      onOpen: () => {},
      onData: (chunk) => body.push(chunk),
      onEnd: () => this.#onList(body.parse()),
      onFailure: (failure) => {
        // Forbidden or not there: the lists themselves decide whether this is a server to follow.
        if (failure.type === "status" && !isServerWide(failure)) this.#tell("");
        else this.#fail(failure);
      },
    });
  }

  #onList(list: unknown): void {
    const items = asList(asFields(list)?.["items"]);
    if (list === undefined || items === undefined) {
      this.#fail({ type: "content", reason: `the list of the ${NAME} Namespace is not a Kubernetes list` });
      return;
    }
    // A server may ignore a selector that it does not know.
    const metadata = items.map((item) => asFields(asFields(item)?.["metadata"]));
    const uid = metadata.find((fields) => fields?.["name"] === NAME)?.["uid"];
    this.#tell(typeof uid === "string" ? uid : "");
  }

  #tell(uid: string): void {
    this.learn(uid);
    for (const handler of this.#question.takeAll()) handler.onUid(uid);
  }

  #fail(failure: ApiFailure): void {
    for (const handler of this.#question.takeAll()) handler.onFailure(failure);
  }
}
