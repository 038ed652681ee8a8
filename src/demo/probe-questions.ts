import { RCODE_NOERROR, RCODE_NXDOMAIN, TYPE_A, TYPE_AAAA, TYPE_PTR, TYPE_SRV } from "../dns/constants.ts";
import type { SampleCluster } from "./sample-cluster.ts";
import { ZONE } from "./sample-cluster.ts";
import type { ServiceSpec, SliceSpec } from "./sample-objects.ts";

/** A question whose right answer is known and does not change while the demo cluster lives. */
export interface ProbeQuestion {
  /** Without the final dot. */
  readonly qname: string;
  readonly qtype: number;
  readonly rcode: number;
  /** RDATA of the records of type `qtype`, in presentation format, in any order. */
  readonly rdata: readonly string[];
}

/** Of every kind of answer some, by the Kubernetes DNS specification 1.1.0: several hundred. */
export function probeQuestions({ services, slices }: SampleCluster): ProbeQuestion[] {
  return [
    ...services.filter(({ clusterIPs }) => clusterIPs.length > 0).flatMap(clusterIPQuestions),
    ...slices.filter(({ endpoints }) => endpoints[0].hasHostname).flatMap(statefulSetQuestions),
  ];
}

function clusterIPQuestions({ namespace, name, clusterIPs, ports }: ServiceSpec): ProbeQuestion[] {
  const qname = `${name}.${namespace}.svc.${ZONE}`;
  const ofFamily = (isIPv6: boolean) => clusterIPs.filter((address) => address.includes(":") === isIPv6);
  return [
    { qname, qtype: TYPE_A, rcode: RCODE_NOERROR, rdata: ofFamily(false) },
    // For most Services NODATA: the name exists, the type does not.
    { qname, qtype: TYPE_AAAA, rcode: RCODE_NOERROR, rdata: ofFamily(true) },
    { qname: `never-was-${qname}`, qtype: TYPE_A, rcode: RCODE_NXDOMAIN, rdata: [] },
    ...ofFamily(false).map((address) => ({
      qname: `${address.split(".").toReversed().join(".")}.in-addr.arpa`,
      qtype: TYPE_PTR,
      rcode: RCODE_NOERROR,
      rdata: [`${qname}.`],
    })),
    ...(clusterIPs.length === 1 ? ports : []).map(({ name: portName, protocol, port }) => ({
      qname: `_${portName}._${protocol.toLowerCase()}.${qname}`,
      qtype: TYPE_SRV,
      rcode: RCODE_NOERROR,
      rdata: [`0 100 ${port} ${qname}.`],
    })),
  ];
}

function statefulSetQuestions({ service, endpoints }: SliceSpec): ProbeQuestion[] {
  const qname = `${service.name}.${service.namespace}.svc.${ZONE}`;
  return [
    { qname, qtype: TYPE_A, rcode: RCODE_NOERROR, rdata: endpoints.map(({ address }) => address) },
    ...endpoints.map(({ podName, address }) => ({
      qname: `${podName}.${qname}`,
      qtype: TYPE_A,
      rcode: RCODE_NOERROR,
      rdata: [address],
    })),
  ];
}
