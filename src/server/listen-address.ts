import type { Timer } from "../base/clock.ts";
import type { SocketAddress } from "../base/socket-address.ts";
import { explainListenProblem, explainMissingAddress, formatListenAddress } from "./listen-problem.ts";
import type { ListeningSocket, ListeningSockets } from "./listening-socket.ts";
import type { ServerContext } from "./server-context.ts";

/** What is closed is tried again, and what is open looked after, this often: an address that comes back serves within 5 s. */
export const CHECK_INTERVAL_MS = 2000;

const MAX_PORT_ATTEMPTS = 8;

export interface SocketStatus {
  readonly transport: "udp" | "tcp";
  /** The port is the bound one, also where 0 was asked for. */
  readonly address: SocketAddress;
  readonly isOpen: boolean;
  /** Why nobody is served there, and what to do; empty when open. */
  readonly problem: string;
}

interface Place {
  readonly transport: "udp" | "tcp";
  socket: ListeningSocket | undefined;
  openedMs: number;
  problem: string;
}

/**
 * Keeps one address open over UDP and TCP for as long as the agent runs (RFC 9210 section 3: TCP wherever UDP is).
 * What cannot be opened now is tried again and again; the other transport and the other addresses go on.
 */
export class ListenAddress {
  #address: SocketAddress;
  readonly #requestedPort: number;
  readonly #sockets: ListeningSockets;
  readonly #context: ServerContext;
  readonly #places: readonly [udp: Place, tcp: Place];
  #timer: Timer | undefined;
  #check: Promise<void> = Promise.resolve();
  #isStopping = false;

  constructor(address: SocketAddress, sockets: ListeningSockets, context: ServerContext) {
    this.#address = address;
    this.#requestedPort = address.port;
    this.#sockets = sockets;
    this.#context = context;
    const problem = "not started";
    this.#places = [
      { transport: "udp", socket: undefined, openedMs: 0, problem },
      { transport: "tcp", socket: undefined, openedMs: 0, problem },
    ];
  }

  /** Resolves when both transports were tried once. Never rejects. */
  async start(): Promise<void> {
    const hadNeighbour = this.#requestedPort !== 0 && (await this.#sockets.isPortTaken(this.#address));
    this.#runCheck();
    await this.#check;
    if (hadNeighbour && this.#places[0].socket !== undefined) this.#warnOfNeighbour();
  }

  status(): SocketStatus[] {
    return this.#places.map(({ transport, socket, problem }) => ({
      transport,
      address: this.#address,
      isOpen: socket !== undefined && problem === "",
      problem,
    }));
  }

  /** Takes no new queries, answers those received, closes. */
  async drain(): Promise<void> {
    this.#isStopping = true;
    this.#timer?.cancel();
    await this.#check;
    await Promise.all(
      this.#places.map(async (place) => {
        const { socket } = place;
        place.socket = undefined;
        place.problem = "stopped";
        await socket?.drain();
      }),
    );
  }

  /** SO_REUSEPORT lets two servers share a port in silence: wanted during an upgrade, a puzzle at any other time. */
  #warnOfNeighbour(): void {
    this.#context.log.warn("another process listens here too: queries are divided while both run", {
      address: formatListenAddress(this.#address),
    });
  }

  #runCheck(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#check = this.#check.then(() => this.#checkPlaces()).then(() => this.#checkIn(CHECK_INTERVAL_MS));
  }

  #checkIn(delayMs: number): void {
    if (this.#isStopping) return;
    this.#timer?.cancel();
    this.#timer = this.#context.clock.setTimer(delayMs, () => this.#runCheck());
  }

  async #checkPlaces(): Promise<void> {
    const open = this.#places.filter((place) => place.socket !== undefined);
    if (open.length > 0) this.#notePresence(open, await this.#sockets.isAddressPresent(this.#address));
    for (const place of this.#places) {
      if (place.socket === undefined && !this.#isStopping) await this.#open(place);
    }
    if (this.#requestedPort === 0) await this.#agreeOnPort();
  }

  /** Port 0 is any port that is free for both: UDP came first and TCP may not have got the same. */
  async #agreeOnPort(): Promise<void> {
    const [udp, tcp] = this.#places;
    for (let attempts = 0; attempts < MAX_PORT_ATTEMPTS; attempts++) {
      if (udp.socket === undefined || tcp.socket !== undefined) return;
      await udp.socket.close();
      udp.socket = undefined;
      this.#address = { ...this.#address, port: 0 };
      await this.#open(udp);
      await this.#open(tcp);
    }
  }

  /** The sockets stay: they serve again as soon as the address is back. */
  #notePresence(open: readonly Place[], isPresent: boolean): void {
    for (const place of open) {
      if (place.socket === undefined) continue;
      this.#note(place, isPresent ? "" : explainMissingAddress(this.#address, place.transport));
    }
  }

  async #open(place: Place): Promise<void> {
    const { transport } = place;
    const options = {
      isShared: this.#requestedPort !== 0,
      onFailure: (error: Error): void => this.#onFailure(place, error),
    };
    try {
      place.socket = await (transport === "udp"
        ? this.#sockets.openUdp(this.#address, options)
        : this.#sockets.openTcp(this.#address, options));
      place.openedMs = this.#context.clock.nowMs();
      this.#address = { ...this.#address, port: place.socket.port };
      this.#note(place, "");
    } catch (error) {
      this.#note(place, explainListenProblem(error as NodeJS.ErrnoException, this.#address, transport));
    }
  }

  /** A socket that served is opened again at once, one that broke straight away at the next check. */
  #onFailure(place: Place, error: Error): void {
    const { socket } = place;
    if (socket === undefined || this.#isStopping) return;
    const { clock, meters } = this.#context;
    meters.socketErrors++;
    place.socket = undefined;
    this.#note(place, explainListenProblem(error, this.#address, place.transport));
    const openForMs = clock.nowMs() - place.openedMs;
    void socket.close().then(() => this.#checkIn(openForMs < CHECK_INTERVAL_MS ? CHECK_INTERVAL_MS : 0));
  }

  /** One line when it changes, none while it stays. */
  #note(place: Place, problem: string): void {
    if (place.problem === problem) return;
    place.problem = problem;
    const fields = { address: formatListenAddress(this.#address), transport: place.transport };
    if (problem === "") this.#context.log.info("listening", fields);
    else this.#context.log.error("not listening", { ...fields, problem, retryMs: CHECK_INTERVAL_MS });
  }
}
