import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { Packet } from "dns2";
import type { SocketAddress } from "../base/socket-address.ts";
import { formatSocketAddress } from "../config/addresses.ts";
import { CLASS_IN, MAX_UDP_PAYLOAD_OCTETS } from "../dns/constants.ts";

/**
 * One query and its reply, composed and read by dns2: another implementation than the agent's, so that the two check each
 * other. Its sockets are not used: version 3.1.1 takes a reply to another question, cannot reach an IPv6 server over TCP, waits
 * there for ever and sends no EDNS, without which no server tells why an answer is stale (RFC 8914 section 3).
 */
export interface Exchange {
  readonly reply: Packet;
  readonly transport: "udp" | "tcp";
  readonly octets: number;
}

export interface ExchangeOptions {
  readonly server: SocketAddress;
  readonly useTcp: boolean;
  readonly timeoutMs: number;
}

export interface Question {
  readonly name: string;
  readonly type: number;
}

/**
 * Asks over UDP, and again over TCP where the reply is truncated (RFC 7766 section 5).
 * @throws {Error} with one line for people when no usable reply comes in time.
 */
export async function exchange(question: Question, options: ExchangeOptions): Promise<Exchange> {
  if (options.useTcp) return exchangeTcp(question, options);
  const overUdp = await exchangeUdp(question, options);
  return overUdp.reply.header.tc === 1 ? exchangeTcp(question, options) : overUdp;
}

function exchangeUdp(question: Question, { server, timeoutMs }: ExchangeOptions): Promise<Exchange> {
  const query = composeQuery(question);
  const { promise, resolve, reject } = Promise.withResolvers<Exchange>();
  const socket = createSocket(server.family === 6 ? "udp6" : "udp4");
  const timer = setTimeout(() => reject(new Error(describeSilence(server, timeoutMs))), timeoutMs);
  socket.on("error", (error) => reject(new Error(describeFailure(server, error), { cause: error })));
  socket.on("message", (message) => {
    // Anything else is not the reply to this query (RFC 5452 section 9.1): the reply may still come.
    const reply = readReply(message, query);
    if (reply !== undefined) resolve({ reply, transport: "udp", octets: message.length });
  });
  // Connected, so that the system drops datagrams from elsewhere and reports a closed port.
  socket.connect(server.port, server.address, () => socket.send(query.octets));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.close();
  });
}

function exchangeTcp(question: Question, { server, timeoutMs }: ExchangeOptions): Promise<Exchange> {
  const query = composeQuery(question);
  const { promise, resolve, reject } = Promise.withResolvers<Exchange>();
  const socket = connect({ host: server.address, port: server.port });
  const timer = setTimeout(() => reject(new Error(describeSilence(server, timeoutMs))), timeoutMs);
  let received = Buffer.alloc(0);
  socket.on("error", (error) => reject(new Error(describeFailure(server, error), { cause: error })));
  socket.on("close", () =>
    reject(new Error(`${formatSocketAddress(server)} closed the connection without a reply`)),
  );
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    // RFC 1035 section 4.2.2: the message's length goes before it.
    if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
    const message = received.subarray(2, 2 + received.readUInt16BE(0));
    const reply = readReply(message, query);
    if (reply === undefined) reject(new Error(`${formatSocketAddress(server)} replied to another question`));
    else resolve({ reply, transport: "tcp", octets: message.length });
  });
  const length = Buffer.alloc(2);
  length.writeUInt16BE(query.octets.length);
  socket.write(Buffer.concat([length, query.octets]));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

interface ComposedQuery {
  readonly id: number;
  readonly question: Question;
  readonly octets: Buffer;
}

function composeQuery(question: Question): ComposedQuery {
  const id = Packet.uuid();
  const packet = new Packet();
  packet.header = new Packet.Header({ id, rd: 1 });
  packet.questions.push(new Packet.Question(question.name, question.type, CLASS_IN));
  packet.additionals.push(Packet.Resource.EDNS([], { udpPayloadSize: MAX_UDP_PAYLOAD_OCTETS }));
  return { id, question, octets: packet.toBuffer() };
}

/** The reply, or undefined when the message is none to this query. */
function readReply(message: Buffer, { id, question }: ComposedQuery): Packet | undefined {
  let packet: Packet;
  try {
    packet = Packet.parse(message);
  } catch {
    return undefined;
  }
  const { header, questions } = packet;
  if (header.id !== id || header.qr !== 1) return undefined;
  // A server that could not read the question may leave it out (RFC 9619 section 3), and only then.
  const isBare = questions.length === 0 && header.rcode !== 0;
  return isBare || isSameQuestion(questions[0], question) ? packet : undefined;
}

function isSameQuestion(echoed: Packet["questions"][number] | undefined, asked: Question): boolean {
  if (echoed === undefined || echoed.type !== asked.type || echoed.class !== CLASS_IN) return false;
  return echoed.name.toLowerCase() === asked.name.replace(/^\.$/, "").toLowerCase();
}

function describeSilence(server: SocketAddress, timeoutMs: number): string {
  return `no reply from ${formatSocketAddress(server)} within ${timeoutMs} ms`;
}

function describeFailure(server: SocketAddress, error: NodeJS.ErrnoException): string {
  const address = formatSocketAddress(server);
  if (error.code === "ECONNREFUSED") return `nothing listens on ${address}`;
  return `cannot ask ${address}: ${error.message}`;
}
