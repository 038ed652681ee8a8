import { isIP } from "node:net";
import type { SocketAddress } from "../base/socket-address.ts";
import { formatSocketAddress } from "../config/addresses.ts";
import type { NodeValues } from "./node-values.ts";

const DNS_PORT = 53;

/** Addresses of the node on which DNS is answered. */
function linkLocalAddresses({ linkLocal }: NodeValues): readonly SocketAddress[] {
  return [linkLocal.ipv4, linkLocal.ipv6]
    .filter((address) => address !== "")
    .map((address) => ({ family: isIP(address) === 6 ? 6 : 4, address, port: DNS_PORT }));
}

/**
 * Arguments of `holdfast agent`.
 * @param places  Those with a place on the node, where the chart has them.
 */
export function agentArguments(values: NodeValues, places: readonly string[]): readonly string[] {
  return [
    "agent",
    ...linkLocalAddresses(values).map((address) => `--listen=${formatSocketAddress(address)}`),
    `--admin=127.0.0.1:${values.metrics.port}`,
    ...places,
    `--zone=${values.clusterDomain}`,
    `--endpoints=${values.endpoints}`,
    `--ttl=${values.answers.ttl}`,
    `--pods=${values.answers.pods}`,
    `--log-level=${values.logging.level}`,
    `--log-format=${values.logging.format}`,
    ...values.extraArgs.map(String),
  ];
}
