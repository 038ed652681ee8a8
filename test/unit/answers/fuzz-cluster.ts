import { Responder } from "../../../src/answers/responder.ts";
import { parseIpAddress } from "../../../src/model/ip-address.ts";
import { ALL_FRESH, compiledTable, toRecords } from "../../support/answer-paths-table.ts";
import {
  endpoints,
  externalName,
  headless,
  host,
  namespace,
  service,
  slice,
} from "../../support/cluster-builder.ts";

/** One of everything, so that mutated names come by every branch; endpoints enough to be cut. */
export function createFuzzResponder(): Responder {
  const pods = Array.from({ length: 120 }, (_, index) => `10.1.0.${index}`);
  const table = compiledTable({
    records: toRecords([
      namespace("shop"),
      service("shop/web", { ips: ["10.0.0.1", "fd00::1"], ports: ["http/TCP/80", "/UDP/53"] }),
      headless("shop/db", ["sql/TCP/5432"]),
      slice("shop/db", {
        ports: ["sql/TCP/5432"],
        endpoints: [host("db-0", "10.2.0.1"), ...endpoints(...pods)],
      }),
      slice("shop/db", { suffix: "6", ports: ["sql/TCP/5432"], endpoints: [host("db-0", "fd00:2::1")] }),
      externalName("shop/alias", "db.shop.svc.cluster.local"),
      externalName("shop/foreign", "example.org"),
      externalName("shop/loop", "loop.shop.svc.cluster.local"),
    ]),
    conditions: { ...ALL_FRESH, EndpointSlice: "stale" },
    tracksAllEndpoints: true,
  });
  return new Responder(table, {
    zones: ["cluster.local", "10.in-addr.arpa"],
    ttlSeconds: 5,
    pods: "insecure",
    tracksAllEndpoints: true,
    nameServerAddresses: [parseIpAddress("169.254.53.53")!],
  });
}
