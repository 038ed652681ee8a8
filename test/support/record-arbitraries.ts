import * as fc from "fast-check";
import { formatIpAddress } from "../../src/model/ip-address.ts";
import type {
  EndpointRecord,
  EndpointSliceRecord,
  ModelRecord,
  NamespaceRecord,
  PortRecord,
  ServiceRecord,
} from "../../src/model/records.ts";

/** deepEqual tells objects without a prototype from plain ones; records are plain. */
const PLAIN = { noNullPrototype: true } as const;

/** Few names, so that records meet each other; some that no API server should send. */
const name = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("web", "db", "cache", "a") },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 12 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("", "\uFEFFweb", "x".repeat(127), "x".repeat(128), "é".repeat(70)),
  },
);
const namespace = fc.constantFrom("default", "prod", "kube-system");

function address(octets: 4 | 16): fc.Arbitrary<string> {
  const octet = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 }));
  return fc
    .array(octet, { minLength: octets, maxLength: octets })
    .map((values) => formatIpAddress(Uint8Array.from(values), 0, octets));
}

const port: fc.Arbitrary<PortRecord> = fc.record(
  {
    name: fc.constantFrom("", "http", "dns-tcp"),
    protocol: fc.constantFrom("TCP", "UDP", "SCTP"),
    port: fc.integer({ min: 0, max: 65_535 }),
  },
  PLAIN,
);
const ports = fc.array(port, { maxLength: 3 });

export const namespaceRecords: fc.Arbitrary<NamespaceRecord> = fc.record(
  {
    kind: fc.constant("Namespace" as const),
    name: fc.oneof(namespace, name),
  },
  PLAIN,
);

export const serviceRecords: fc.Arbitrary<ServiceRecord> = fc.record(
  {
    kind: fc.constant("Service" as const),
    namespace,
    name,
    type: fc.constantFrom("ClusterIP", "Headless", "ExternalName"),
    clusterIPs: fc.array(fc.oneof(address(4), address(16)), { maxLength: 2 }),
    externalName: fc.constantFrom("", "db.example.org"),
    ports,
  },
  PLAIN,
);

export const sliceRecords: fc.Arbitrary<EndpointSliceRecord> = fc
  .constantFrom("IPv4" as const, "IPv6" as const)
  .chain((addressType) => {
    const endpoint: fc.Arbitrary<EndpointRecord> = fc.record(
      {
        addresses: fc.array(address(addressType === "IPv4" ? 4 : 16), { minLength: 1, maxLength: 2 }),
        hostname: fc.constantFrom("", "web-0"),
        ready: fc.boolean(),
      },
      PLAIN,
    );
    return fc.record(
      {
        kind: fc.constant("EndpointSlice" as const),
        namespace,
        name,
        serviceName: name,
        addressType: fc.constant(addressType),
        ports,
        endpoints: fc.array(endpoint, { maxLength: 4 }),
      },
      PLAIN,
    );
  });

export const modelRecords: fc.Arbitrary<ModelRecord> = fc.oneof(
  namespaceRecords,
  serviceRecords,
  sliceRecords,
);
