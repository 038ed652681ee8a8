/** The tree of a zone, several zones, pods and reverse zones: rules. */
import { endpoints, headless, namespace, service, slice } from "../support/cluster-builder.ts";
import { answer, type AnswerCase, failure, nodata, nxdomain } from "./answer-case.ts";

const SHOP = namespace("shop");
const given = [SHOP, namespace("empty"), service("shop/web", { ips: ["10.0.0.1"], ports: ["http/TCP/80"] })];
const nameServerAddresses = ["169.254.53.53", "fd00:53::53"];
const SOA = "SOA ns.dns.cluster.local. hostmaster.cluster.local. SERIAL 7200 1800 86400 5";

export const ZONE_CASES: readonly AnswerCase[] = [
  {
    name: "dns-version has the specification's version and TTL (A-3)",
    query: "dns-version.cluster.local. TXT",
    want: answer('dns-version.cluster.local. 28800 IN TXT "1.1.0"'),
  },
  { name: "dns-version has no other type (A-4)", query: "dns-version.cluster.local. A", want: nodata() },
  { name: "nothing is below dns-version", query: "x.dns-version.cluster.local. TXT", want: nxdomain() },
  {
    name: "ANY of dns-version",
    query: "dns-version.cluster.local. ANY",
    want: answer('dns-version.cluster.local. 5 IN HINFO "RFC8482" ""'),
  },
  {
    name: "SOA at the apex (A-54)",
    query: "cluster.local. SOA",
    want: answer(`cluster.local. 5 IN ${SOA}`),
  },
  {
    name: "NS at the apex leads to a name with addresses (A-54)",
    options: { nameServerAddresses },
    query: "cluster.local. NS",
    want: {
      rcode: "NOERROR",
      answer: ["cluster.local. 5 IN NS ns.dns.cluster.local."],
      additional: [
        "ns.dns.cluster.local. 5 IN A 169.254.53.53",
        "ns.dns.cluster.local. 5 IN AAAA fd00:53::53",
      ],
    },
  },
  {
    name: "NS without addresses, where we listen on all",
    query: "cluster.local. NS",
    want: answer("cluster.local. 5 IN NS ns.dns.cluster.local."),
  },
  { name: "other types at the apex (A-54)", query: "cluster.local. A", want: nodata() },
  { name: "TXT at the apex is NODATA too", query: "cluster.local. TXT", want: nodata() },
  {
    name: "ANY at the apex (B-70)",
    query: "cluster.local. ANY",
    want: answer('cluster.local. 5 IN HINFO "RFC8482" ""'),
  },
  {
    name: "the name server's addresses",
    options: { nameServerAddresses },
    query: "ns.dns.cluster.local. A",
    want: answer("ns.dns.cluster.local. 5 IN A 169.254.53.53"),
  },
  {
    name: "the name server's IPv6 addresses",
    options: { nameServerAddresses },
    query: "ns.dns.cluster.local. AAAA",
    want: answer("ns.dns.cluster.local. 5 IN AAAA fd00:53::53"),
  },
  { name: "the name server has no TXT", query: "ns.dns.cluster.local. TXT", want: nodata() },
  { name: "dns is an empty non-terminal", query: "dns.cluster.local. A", want: nodata() },
  { name: "nothing else is below dns", query: "x.dns.cluster.local. A", want: nxdomain() },
  { name: "nothing is below ns.dns", query: "x.ns.dns.cluster.local. A", want: nxdomain() },
  { name: "svc is an empty non-terminal (A-53)", query: "svc.cluster.local. A", want: nodata() },
  { name: "svc is one for TXT", query: "svc.cluster.local. TXT", want: nodata() },
  { name: "pod is an empty non-terminal (A-53)", query: "pod.cluster.local. A", want: nodata() },
  { name: "a namespace is one (A-53)", given, query: "shop.svc.cluster.local. A", want: nodata() },
  {
    name: "a namespace without Services is one (0.11)",
    given,
    query: "empty.svc.cluster.local. A",
    want: nodata(),
  },
  {
    name: "so is one whose Namespace has not arrived, when a Service is in it",
    given: [service("early/web", { ips: ["10.0.0.2"] })],
    query: "early.svc.cluster.local. A",
    want: nodata(),
  },
  { name: "an unknown namespace (A-51)", given, query: "nope.svc.cluster.local. A", want: nxdomain() },
  {
    name: "an unknown Service (A-51)",
    given,
    query: "nope.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "a Service in an unknown namespace (A-51)",
    given,
    query: "web.nope.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "an unknown endpoint (A-51)",
    given,
    query: "x.web.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "too many labels (A-51)",
    given,
    query: "a._http._tcp.web.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "SOA below the apex is NODATA (A-55)",
    given,
    query: "web.shop.svc.cluster.local. SOA",
    want: nodata(),
  },
  {
    name: "SOA of a name that does not exist is NXDOMAIN",
    given,
    query: "nope.shop.svc.cluster.local. SOA",
    want: nxdomain(),
  },
  {
    name: "a Service has no name without svc (A-63)",
    given,
    query: "web.shop.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "an asterisk is an ordinary label (A-61)",
    given,
    query: "*.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "a name of the search list below a namespace (A-57)",
    given,
    query: "api.example.com.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "a name of the search list with two labels below a namespace (A-57)",
    given,
    query: "example.com.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "a name of the search list below svc (A-57)",
    given,
    query: "api.example.com.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "a name of the search list below the zone (A-57)",
    given,
    query: "api.example.com.cluster.local. AAAA",
    want: nxdomain(),
  },
  {
    name: "a name of the search list with an underscore",
    given,
    query: "_spf.example.com.shop.svc.cluster.local. TXT",
    want: nxdomain(),
  },
  {
    name: "the apex in any case",
    query: "Cluster.LOCAL. SOA",
    want: answer(
      "Cluster.LOCAL. 5 IN SOA ns.dns.Cluster.LOCAL. hostmaster.Cluster.LOCAL. SERIAL 7200 1800 86400 5",
    ),
  },
  {
    name: "a zone whose name only ends alike is foreign",
    query: "xcluster.local. A",
    edns: {},
    want: failure("REFUSED", 20),
  },
  { name: "a foreign name", query: "www.example.com. A", edns: {}, want: failure("REFUSED", 20) },
  { name: "the root", query: ". NS", edns: {}, want: failure("REFUSED", 20) },
  { name: "the zone's parent", query: "local. SOA", edns: {}, want: failure("REFUSED", 20) },

  {
    name: "a second zone has the same names (A-1)",
    given,
    options: { zones: ["cluster.local", "k8s.example.org"] },
    query: "web.shop.svc.k8s.example.org. A",
    want: answer("web.shop.svc.k8s.example.org. 5 IN A 10.0.0.1"),
  },
  {
    name: "and its own SRV targets",
    given,
    options: { zones: ["cluster.local", "k8s.example.org"] },
    query: "_http._tcp.web.shop.svc.k8s.example.org. SRV",
    want: {
      rcode: "NOERROR",
      answer: ["_http._tcp.web.shop.svc.k8s.example.org. 5 IN SRV 0 100 80 web.shop.svc.k8s.example.org."],
      additional: ["web.shop.svc.k8s.example.org. 5 IN A 10.0.0.1"],
    },
  },
  {
    name: "and its own SOA record",
    given,
    options: { zones: ["cluster.local", "k8s.example.org"] },
    query: "nope.shop.svc.k8s.example.org. A",
    want: nxdomain(5, "k8s.example.org."),
  },
  {
    name: "PTR leads to the first zone",
    given,
    options: { zones: ["k8s.example.org", "cluster.local"] },
    query: "1.0.0.10.in-addr.arpa. PTR",
    want: answer("1.0.0.10.in-addr.arpa. 5 IN PTR web.shop.svc.k8s.example.org."),
  },
  {
    name: "PTR leads to the first zone that is no reverse zone",
    given,
    options: { zones: ["10.in-addr.arpa", "cluster.local"] },
    query: "1.0.0.10.in-addr.arpa. PTR",
    want: answer("1.0.0.10.in-addr.arpa. 5 IN PTR web.shop.svc.cluster.local."),
  },
  {
    name: "a zone inside a zone is the closer one (B-28)",
    given,
    options: { zones: ["local", "cluster.local"] },
    query: "web.shop.svc.cluster.local. A",
    want: answer("web.shop.svc.cluster.local. 5 IN A 10.0.0.1"),
  },
  {
    name: "whatever their order",
    given,
    options: { zones: ["cluster.local", "local"] },
    query: "nope.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "and the outer one has the rest",
    given,
    options: { zones: ["cluster.local", "local"] },
    query: "web.shop.svc.local. A",
    want: answer("web.shop.svc.local. 5 IN A 10.0.0.1"),
  },
  {
    name: "a zone of one label",
    given,
    options: { zones: ["internal"] },
    query: "nope.internal. A",
    want: nxdomain(5, "internal."),
  },
  {
    name: "a zone given in capitals",
    given,
    options: { zones: ["Cluster.Local"] },
    query: "_http._tcp.web.shop.svc.cluster.local. SRV",
    want: {
      rcode: "NOERROR",
      answer: ["_http._tcp.web.shop.svc.cluster.local. 5 IN SRV 0 100 80 web.shop.svc.cluster.local."],
      additional: ["web.shop.svc.cluster.local. 5 IN A 10.0.0.1"],
    },
  },
];

export const POD_CASES: readonly AnswerCase[] = [
  {
    name: "a pod's name is made from the address in it (A-62)",
    given,
    query: "1-2-3-4.shop.pod.cluster.local. A",
    want: answer("1-2-3-4.shop.pod.cluster.local. 5 IN A 1.2.3.4"),
  },
  {
    name: "a pod's name with an IPv6 address (A-62)",
    given,
    query: "fd00--7.shop.pod.cluster.local. AAAA",
    want: answer("fd00--7.shop.pod.cluster.local. 5 IN AAAA fd00::7"),
  },
  {
    name: "a pod's name has the other family as NODATA",
    given,
    query: "1-2-3-4.shop.pod.cluster.local. AAAA",
    want: nodata(),
  },
  {
    name: "a pod's name has no SRV record",
    given,
    query: "1-2-3-4.shop.pod.cluster.local. SRV",
    want: nodata(),
  },
  {
    name: "ANY of a pod's name",
    given,
    query: "1-2-3-4.shop.pod.cluster.local. ANY",
    want: answer('1-2-3-4.shop.pod.cluster.local. 5 IN HINFO "RFC8482" ""'),
  },
  {
    name: "a pod's name that is no address (A-62)",
    given,
    query: "1-2-3.shop.pod.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "a pod's name with a number that is none",
    given,
    query: "1-2-3-256.shop.pod.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "a pod in an unknown namespace (A-62)",
    given,
    query: "1-2-3-4.nope.pod.cluster.local. A",
    want: nxdomain(),
  },
  { name: "nothing is below a pod", given, query: "x.1-2-3-4.shop.pod.cluster.local. A", want: nxdomain() },
  { name: "a namespace below pod (A-53)", given, query: "shop.pod.cluster.local. A", want: nodata() },
  { name: "an unknown namespace below pod", given, query: "nope.pod.cluster.local. A", want: nxdomain() },
  {
    name: "pods disabled (A-62)",
    given,
    options: { pods: "disabled" },
    query: "1-2-3-4.shop.pod.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "pod itself, pods disabled (A-53)",
    given,
    options: { pods: "disabled" },
    query: "pod.cluster.local. A",
    want: nodata(),
  },
];

const SERVED = ["cluster.local", "10.in-addr.arpa", "d.f.ip6.arpa"];
const HEADLESS_GIVEN = [
  ...given,
  headless("shop/db"),
  slice("shop/db", { endpoints: endpoints("10.1.0.1") }),
];

export const REVERSE_CASES: readonly AnswerCase[] = [
  {
    name: "PTR of an unknown address outside the zones served is not ours to deny (A-59)",
    given,
    query: "4.3.2.1.in-addr.arpa. PTR",
    edns: {},
    want: failure("SERVFAIL", 22),
  },
  {
    name: "PTR of an unknown address in a zone served (A-60)",
    given,
    options: { zones: SERVED },
    query: "9.9.9.10.in-addr.arpa. PTR",
    want: nxdomain(5, "10.in-addr.arpa."),
  },
  {
    name: "PTR of an unknown address beside the zone served",
    given,
    options: { zones: SERVED },
    query: "9.9.9.11.in-addr.arpa. PTR",
    edns: {},
    want: failure("SERVFAIL", 22),
  },
  {
    name: "PTR of an unknown address in a zone served, while pods may have it that we do not watch (A-59)",
    given,
    options: { zones: SERVED, endpoints: "headless" },
    query: "9.9.9.10.in-addr.arpa. PTR",
    edns: {},
    want: failure("SERVFAIL", 22),
  },
  {
    name: "PTR of a known address in a zone served, another type",
    given,
    options: { zones: SERVED },
    query: "1.0.0.10.in-addr.arpa. A",
    want: nodata(5, "10.in-addr.arpa."),
  },
  {
    name: "a label too many is another name",
    given,
    options: { zones: SERVED },
    query: "x.1.0.0.10.in-addr.arpa. PTR",
    want: nxdomain(5, "10.in-addr.arpa."),
  },
  {
    name: "a leading zero is another name",
    given,
    options: { zones: SERVED },
    query: "01.0.0.10.in-addr.arpa. PTR",
    want: nxdomain(5, "10.in-addr.arpa."),
  },
  {
    name: "the beginning of an address is not denied: that would deny all below it (B-43)",
    given: HEADLESS_GIVEN,
    options: { zones: SERVED },
    query: "0.1.10.in-addr.arpa. PTR",
    want: nodata(5, "10.in-addr.arpa."),
  },
  {
    name: "the beginning of an IPv6 address is not denied",
    given,
    options: { zones: SERVED },
    query: "0.0.d.f.ip6.arpa. PTR",
    want: nodata(5, "d.f.ip6.arpa."),
  },
  {
    name: "what is no beginning of an address is",
    given,
    options: { zones: SERVED },
    query: "_dns-sd._udp.1.10.in-addr.arpa. PTR",
    want: nxdomain(5, "10.in-addr.arpa."),
  },
  {
    name: "a reverse zone has a SOA record",
    options: { zones: SERVED },
    query: "10.in-addr.arpa. SOA",
    want: answer(
      "10.in-addr.arpa. 5 IN SOA ns.dns.10.in-addr.arpa. hostmaster.10.in-addr.arpa. SERIAL 7200 1800 86400 5",
    ),
  },
  {
    name: "a reverse zone has a name server",
    options: { zones: SERVED, nameServerAddresses },
    query: "d.f.ip6.arpa. NS",
    want: {
      rcode: "NOERROR",
      answer: ["d.f.ip6.arpa. 5 IN NS ns.dns.d.f.ip6.arpa."],
      additional: ["ns.dns.d.f.ip6.arpa. 5 IN A 169.254.53.53", "ns.dns.d.f.ip6.arpa. 5 IN AAAA fd00:53::53"],
    },
  },
  {
    name: "whose name resolves (A-54)",
    options: { zones: SERVED, nameServerAddresses },
    query: "ns.dns.10.in-addr.arpa. A",
    want: answer("ns.dns.10.in-addr.arpa. 5 IN A 169.254.53.53"),
  },
  {
    name: "the apex of a reverse zone has no other type",
    options: { zones: SERVED },
    query: "10.in-addr.arpa. PTR",
    want: nodata(5, "10.in-addr.arpa."),
  },
  {
    name: "a reverse zone has no svc",
    options: { zones: SERVED },
    query: "svc.10.in-addr.arpa. A",
    want: nxdomain(5, "10.in-addr.arpa."),
  },
];
