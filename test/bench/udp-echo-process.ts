/**
 * Gives every datagram back with the QR bit (RFC 1035 section 4.1.1) set: a DNS server that does nothing. Beside one that does something, it
 * shows which waits are the machine's. Prints its port on 127.0.0.1.
 */
import { createSocket } from "node:dgram";
import { raiseDnsThread } from "../../src/sync/thread-priority.ts";

raiseDnsThread();
const socket = createSocket("udp4");
socket.on("message", (packet, { address, port }) => {
  packet[2] |= 0x80;
  socket.send(packet, port, address);
});
socket.bind(0, "127.0.0.1", () => console.log(socket.address().port));
