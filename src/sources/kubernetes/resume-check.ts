import type { Clock } from "../../base/clock.ts";
import type { ApiCaller } from "./api-caller.ts";
import { type ApiFailure, isServerWide, isTooLargeResourceVersion } from "./api-failure.ts";
import type { ClusterUid } from "./cluster-uid.ts";
import { asFields, asList } from "./projection-fields.ts";
import type { ReflectorTimings } from "./reflector-timings.ts";
import { SharedQuestion } from "./shared-question.ts";
import { SmallBody } from "./small-body.ts";

export interface ResumeCheckHandler {
  onWaiting(reason: string): void;
  /** As far as can be told, the watch can go on from our resourceVersion. */
  onSameHistory(): void;
  /** It cannot: another cluster, or this one restored to an older state. */
  onOtherHistory(reason: string): void;
  /** The server could not be asked. */
  onFailure(failure: ApiFailure): void;
}

const NAMESPACES = "/api/v1/namespaces";
const NAME = "kube-system";
const ACCEPT_ONE = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
const ACCEPT_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
/** Server errors in a row, after which this question is what the server has a problem with. */
const MAX_SERVER_ERRORS = 3;

/**
 * Whether the server still has the history that our resourceVersions are from. Asked once for all feeds before they resume,
 * with one GET of one Namespace, after a start and after the server was lost. Where RBAC refuses the verb `get`, with a list of that one.
 *
 * An API server accepts a watch from a resourceVersion of the future and is silent until it gets there: after a restore of etcd
 * such a watch looks healthy and says nothing (seen on 1.37: not even bookmarks). And a watch from another cluster's
 * resourceVersion may simply deliver that cluster's changes.
 */
export class ResumeCheck {
  readonly #timings: ReflectorTimings;
  readonly #caller: ApiCaller;
  readonly #clock: Clock;
  readonly #clusterUid: ClusterUid;
  readonly #question = new SharedQuestion<ResumeCheckHandler>();
  /** Of the cluster that our state is from; empty while not known. */
  #expectedUid: string;
  /** Of the Namespaces, up to which we know them; empty while not known. */
  #resourceVersion = "";
  #epoch = 0;
  #history = 0;
  #serverErrors = 0;
  #mayGet = true;

  /** @param expectedUid  UID of kube-system in the cluster of the snapshot; empty if there is none. */
  constructor(
    expectedUid: string,
    timings: ReflectorTimings,
    io: { caller: ApiCaller; clock: Clock; clusterUid: ClusterUid },
  ) {
    this.#expectedUid = expectedUid;
    this.#timings = timings;
    this.#caller = io.caller;
    this.#clock = io.clock;
    this.#clusterUid = io.clusterUid;
  }

  /** Changes whenever an earlier answer stops counting. */
  get epoch(): number {
    return this.#epoch;
  }

  endEpoch(): void {
    this.#epoch++;
  }

  /** Changes whenever the server turned out to have another history: what a feed knows from before it has to be listed. */
  get history(): number {
    return this.#history;
  }

  /** A complete list of this cluster was accepted: from now on it is the one to stay with. */
  expect(clusterUid: string): void {
    if (clusterUid !== "") this.#expectedUid = clusterUid;
  }

  /** The Namespaces are known up to there. Theirs, because a server waits for the version in the cache of the resource. */
  noteNamespaces(resourceVersion: string): void {
    this.#resourceVersion = resourceVersion;
  }

  ask(handler: ResumeCheckHandler): void {
    this.#question.ask(handler, () => this.#get(false));
  }

  /** Withdraws the question; the handler is not called afterwards. Idempotent. */
  withdraw(handler: ResumeCheckHandler): void {
    this.#question.withdraw(handler);
  }

  #get(isSecond: boolean): { abort(): void } {
    const body = new SmallBody();
    const path = this.#mayGet ? getPath(this.#resourceVersion) : listPath(this.#resourceVersion);
    const accept = this.#mayGet ? ACCEPT_ONE : ACCEPT_LIST;
    return this.#caller.call(
      { charge: "request", path, accept, silenceMs: this.#timings.listSilenceMs },
      {
        onWaiting: (reason) => this.#question.waiting(reason),
        onOpen: () => {},
        onData: (chunk) => body.push(chunk),
        onEnd: () => this.#onNamespace(onlyItem(body.parse())),
        onFailure: (failure) => this.#onFailure(failure, isSecond),
      },
    );
  }

  #onNamespace(namespace: unknown): void {
    this.#serverErrors = 0;
    const uid = asFields(asFields(namespace)?.["metadata"])?.["uid"];
    if (typeof uid === "string" && uid !== "") {
      this.#clusterUid.learn(uid);
      if (this.#expectedUid !== "" && this.#expectedUid !== uid) {
        this.#tellOther(`another cluster answers: its kube-system has UID ${uid.slice(0, 60)}`);
        return;
      }
    }
    this.#tellSame();
  }

  #onFailure(failure: ApiFailure, isSecond: boolean): void {
    if (isTooLargeResourceVersion(failure)) {
      // One of several API servers may be seconds behind the one we had.
      if (isSecond) this.#tellOther(failure.reason);
      else this.#askAgain(failure.reason);
      return;
    }
    if (failure.type === "status" && failure.code === 403 && this.#mayGet) {
      this.#mayGet = false;
      this.#question.continueWith(this.#get(isSecond));
      return;
    }
    if (failure.type === "status" && isServerWide(failure)) this.#serverErrors++;
    // Forbidden, not there, not understood: not a server that can tell. The watch itself has to show.
    const cannotTell = !isServerWide(failure) || this.#serverErrors >= MAX_SERVER_ERRORS;
    if (cannotTell) this.#tellSame();
    else for (const handler of this.#question.takeAll()) handler.onFailure(failure);
  }

  #askAgain(reason: string): void {
    this.#question.waiting(reason);
    const timer = this.#clock.setTimer(this.#timings.laggingServerMs, () => {
      this.#question.continueWith(this.#get(true));
    });
    this.#question.continueWith({ abort: () => timer.cancel() });
  }

  #tellSame(): void {
    this.#serverErrors = 0;
    for (const handler of this.#question.takeAll()) handler.onSameHistory();
  }

  #tellOther(reason: string): void {
    this.#history++;
    for (const handler of this.#question.takeAll()) handler.onOtherHistory(reason);
  }
}

function getPath(resourceVersion: string): string {
  const path = `${NAMESPACES}/${NAME}`;
  return resourceVersion === "" ? path : `${path}?resourceVersion=${encodeURIComponent(resourceVersion)}`;
}

/** From the watch cache, like the GET. */
function listPath(resourceVersion: string): string {
  const version = encodeURIComponent(resourceVersion === "" ? "0" : resourceVersion);
  return (
    `${NAMESPACES}?fieldSelector=metadata.name%3D${NAME}&limit=1` +
    `&resourceVersion=${version}&resourceVersionMatch=NotOlderThan`
  );
}

/** The Namespace itself, or the one in a list: a server may ignore a selector that it does not know. */
function onlyItem(answer: unknown): unknown {
  const items = asFields(answer)?.["items"];
  if (items === undefined) return answer;
  return asList(items)?.find((item) => asFields(asFields(item)?.["metadata"])?.["name"] === NAME);
}
