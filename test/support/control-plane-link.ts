import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { ClusterUser, ControlPlane } from "./control-plane.ts";

/**
 * The way of one client to the API server, which can be cut and restored while the API server itself goes on: a TCP relay
 * with a kubeconfig of its own. Cut means that open connections are reset and new ones are closed at once.
 */
export class ControlPlaneLink {
  readonly kubeconfig: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(server: Server, kubeconfig: string, apiPort: number) {
    this.#server = server;
    this.kubeconfig = kubeconfig;
    server.on("connection", (near: Socket) => this.#relay(near, apiPort));
  }

  static async open(plane: ControlPlane, user: ClusterUser): Promise<ControlPlaneLink> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const kubeconfig = join(plane.directory, `kubeconfig-${user}-link-${port}.yaml`);
    const text = await readFile(plane.kubeconfig(user), "utf8");
    await writeFile(kubeconfig, text.replace(plane.url, `https://127.0.0.1:${port}`), { mode: 0o600 });
    return new ControlPlaneLink(server, kubeconfig, Number(new URL(plane.url).port));
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  restore(): void {
    this.#isCut = false;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #relay(near: Socket, apiPort: number): void {
    if (this.#isCut) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(apiPort, "127.0.0.1");
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.once("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }
}
