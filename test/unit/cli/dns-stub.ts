import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { Packet } from "dns2";

/** The replies to one query, in the order they are sent; none: silence. */
export type Answerer = (query: Packet, transport: "udp" | "tcp") => readonly Buffer[];

export interface DnsStub {
  /** As `--server` takes it. */
  readonly address: string;
  readonly queries: readonly { readonly transport: "udp" | "tcp"; readonly packet: Packet }[];
  close(): Promise<void>;
}

/** A DNS server on one loopback port, UDP and TCP, that says what the test wants. */
export async function startDnsStub(host: "127.0.0.1" | "::1", answer: Answerer): Promise<DnsStub> {
  const queries: { transport: "udp" | "tcp"; packet: Packet }[] = [];
  const reply = (message: Buffer, transport: "udp" | "tcp"): readonly Buffer[] => {
    const packet = Packet.parse(message);
    queries.push({ transport, packet });
    return answer(packet, transport);
  };
  const tcp = createServer((socket) => {
    socket.on("data", (chunk) => {
      for (const octets of reply(chunk.subarray(2), "tcp")) {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(octets.length);
        socket.write(Buffer.concat([length, octets]));
      }
    });
  });
  tcp.listen(0, host);
  await once(tcp, "listening");
  const { port } = tcp.address() as AddressInfo;
  const udp = createSocket(host === "::1" ? "udp6" : "udp4");
  udp.on("message", (message, from) => {
    for (const octets of reply(message, "udp")) udp.send(octets, from.port, from.address);
  });
  udp.bind(port, host);
  await once(udp, "listening");
  const close = async () => {
    udp.close();
    tcp.close();
    await once(tcp, "close");
  };
  return { address: host === "::1" ? `[::1]:${port}` : `${host}:${port}`, queries, close };
}

/** A reply with the query's id and question. */
export function replyTo(query: Packet, change: (reply: Packet) => void): Buffer {
  const reply = new Packet();
  reply.header = new Packet.Header({ id: query.header.id, qr: 1, rd: 1, ra: 1, aa: 1 });
  reply.questions.push(query.questions[0]);
  change(reply);
  return reply.toBuffer();
}

export function record(name: string, type: number, data: object): Packet["answers"][number] {
  return Object.assign(new Packet.Resource(name, type, 1, 5), data);
}
