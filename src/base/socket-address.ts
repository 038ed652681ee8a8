/** Where a socket listens or connects. `address` is an IP literal without brackets. */
export interface SocketAddress {
  readonly family: 4 | 6;
  readonly address: string;
  readonly port: number;
}
