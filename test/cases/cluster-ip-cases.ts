/** Services with ClusterIPs: rules, and PTR records of. */
import { endpoints, host, namespace, service, slice } from "../support/cluster-builder.ts";
import { answer, type AnswerCase, nodata, nxdomain } from "./answer-case.ts";

const SHOP = namespace("shop");
const WEB = service("shop/web", { ips: ["10.0.0.1"], ports: ["http/TCP/80", "https/TCP/443", "/TCP/9000"] });
const DUAL = service("shop/dual", { ips: ["fd00::3", "10.0.0.3"], ports: ["http/TCP/80"] });
const given = [SHOP, WEB, DUAL];
const PODS = slice("shop/web", {
  ports: ["http/TCP/8080"],
  endpoints: [...endpoints("10.1.0.1", "10.1.0.2"), host("leader", "10.1.0.3")],
});

export const CLUSTER_IP_CASES: readonly AnswerCase[] = [
  {
    name: "A of a Service is its IPv4 ClusterIP (A-13)",
    given,
    query: "web.shop.svc.cluster.local. A",
    want: answer("web.shop.svc.cluster.local. 5 IN A 10.0.0.1"),
  },
  {
    name: "AAAA of a Service is its IPv6 ClusterIP (A-14)",
    given,
    query: "dual.shop.svc.cluster.local. AAAA",
    want: answer("dual.shop.svc.cluster.local. 5 IN AAAA fd00::3"),
  },
  {
    name: "A of a dual-stack Service is its second ClusterIP too (A-15)",
    given,
    query: "dual.shop.svc.cluster.local. A",
    want: answer("dual.shop.svc.cluster.local. 5 IN A 10.0.0.3"),
  },
  {
    name: "AAAA of a Service with IPv4 alone is NODATA (A-18)",
    given,
    query: "web.shop.svc.cluster.local. AAAA",
    want: nodata(),
  },
  {
    name: "a NodePort Service has its ClusterIP",
    given: [SHOP, service("shop/np", { ips: ["10.0.0.8"], type: "NodePort" })],
    query: "np.shop.svc.cluster.local. A",
    want: answer("np.shop.svc.cluster.local. 5 IN A 10.0.0.8"),
  },
  {
    name: "a LoadBalancer Service has its ClusterIP",
    given: [SHOP, service("shop/lb", { ips: ["10.0.0.9"], type: "LoadBalancer" })],
    query: "lb.shop.svc.cluster.local. A",
    want: answer("lb.shop.svc.cluster.local. 5 IN A 10.0.0.9"),
  },
  {
    name: "a Service without a ClusterIP yet is NODATA",
    given: [SHOP, service("shop/noip", { ports: ["http/TCP/80"] })],
    query: "noip.shop.svc.cluster.local. A",
    want: nodata(),
  },
  {
    name: "SRV of a Service without a ClusterIP yet is NODATA",
    given: [SHOP, service("shop/noip", { ports: ["http/TCP/80"] })],
    query: "_http._tcp.noip.shop.svc.cluster.local. SRV",
    want: nodata(),
  },
  {
    name: "SRV of a named port leads to the Service, whose address is added (A-19, A-23)",
    given,
    query: "_http._tcp.web.shop.svc.cluster.local. SRV",
    want: {
      rcode: "NOERROR",
      answer: ["_http._tcp.web.shop.svc.cluster.local. 5 IN SRV 0 100 80 web.shop.svc.cluster.local."],
      additional: ["web.shop.svc.cluster.local. 5 IN A 10.0.0.1"],
    },
  },
  {
    name: "SRV of a dual-stack Service has half the weight and both addresses (A-22, A-23)",
    given,
    query: "_http._tcp.dual.shop.svc.cluster.local. SRV",
    want: {
      rcode: "NOERROR",
      answer: ["_http._tcp.dual.shop.svc.cluster.local. 5 IN SRV 0 50 80 dual.shop.svc.cluster.local."],
      additional: [
        "dual.shop.svc.cluster.local. 5 IN A 10.0.0.3",
        "dual.shop.svc.cluster.local. 5 IN AAAA fd00::3",
      ],
    },
  },
  {
    name: "SRV of the bare Service has every port, named or not (A-25)",
    given,
    query: "web.shop.svc.cluster.local. SRV",
    want: {
      rcode: "NOERROR",
      answer: [
        "web.shop.svc.cluster.local. 5 IN SRV 0 33 80 web.shop.svc.cluster.local.",
        "web.shop.svc.cluster.local. 5 IN SRV 0 33 443 web.shop.svc.cluster.local.",
        "web.shop.svc.cluster.local. 5 IN SRV 0 33 9000 web.shop.svc.cluster.local.",
      ],
      additional: ["web.shop.svc.cluster.local. 5 IN A 10.0.0.1"],
    },
  },
  {
    name: "SRV of the bare Service has a number once that two protocols use (RFC 2181 section 5)",
    given: [SHOP, service("shop/dns", { ips: ["10.0.0.10"], ports: ["dns/UDP/53", "dns-tcp/TCP/53"] })],
    query: "dns.shop.svc.cluster.local. SRV",
    want: {
      rcode: "NOERROR",
      answer: ["dns.shop.svc.cluster.local. 5 IN SRV 0 50 53 dns.shop.svc.cluster.local."],
      additional: ["dns.shop.svc.cluster.local. 5 IN A 10.0.0.10"],
    },
  },
  {
    name: "SRV tells protocols apart (A-21)",
    given: [SHOP, service("shop/dns", { ips: ["10.0.0.10"], ports: ["dns/UDP/53", "sig/SCTP/132"] })],
    query: "_sig._sctp.dns.shop.svc.cluster.local. SRV",
    want: {
      rcode: "NOERROR",
      answer: ["_sig._sctp.dns.shop.svc.cluster.local. 5 IN SRV 0 100 132 dns.shop.svc.cluster.local."],
      additional: ["dns.shop.svc.cluster.local. 5 IN A 10.0.0.10"],
    },
  },
  {
    name: "SRV takes protocol and port in any case (A-2, A-21)",
    given,
    query: "_HTTP._Tcp.web.shop.svc.cluster.local. SRV",
    want: {
      rcode: "NOERROR",
      answer: ["_HTTP._Tcp.web.shop.svc.cluster.local. 5 IN SRV 0 100 80 web.shop.svc.cluster.local."],
      additional: ["web.shop.svc.cluster.local. 5 IN A 10.0.0.1"],
    },
  },
  {
    name: "SRV of a port under the other protocol does not exist",
    given,
    query: "_http._udp.web.shop.svc.cluster.local. SRV",
    want: nxdomain(),
  },
  {
    name: "SRV of an unknown port does not exist (A-51)",
    given,
    query: "_nope._tcp.web.shop.svc.cluster.local. SRV",
    want: nxdomain(),
  },
  {
    name: "an unnamed port has no name to ask for (A-20)",
    given: [SHOP, service("shop/one", { ips: ["10.0.0.5"], ports: ["/TCP/80"] })],
    query: "_._tcp.one.shop.svc.cluster.local. SRV",
    want: nxdomain(),
  },
  {
    name: "_tcp is no name where no port of it has one (A-20)",
    given: [SHOP, service("shop/one", { ips: ["10.0.0.5"], ports: ["/TCP/80"] })],
    query: "_tcp.one.shop.svc.cluster.local. SRV",
    want: nxdomain(),
  },
  {
    name: "_tcp of a Service with named ports is an empty non-terminal (A-53)",
    given,
    query: "_tcp.web.shop.svc.cluster.local. SRV",
    want: nodata(),
  },
  {
    name: "_udp of a Service without UDP ports does not exist",
    given,
    query: "_udp.web.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "_port._proto has no addresses",
    given,
    query: "_http._tcp.web.shop.svc.cluster.local. A",
    want: nodata(),
  },
  {
    name: "a Service whose name begins with a digit works (A-29)",
    given: [SHOP, service("shop/3scale", { ips: ["10.0.0.33"] })],
    query: "3scale.shop.svc.cluster.local. A",
    want: answer("3scale.shop.svc.cluster.local. 5 IN A 10.0.0.33"),
  },
  {
    name: "a Service exists without endpoints (A-16)",
    given: [...given, slice("shop/web", { endpoints: [] })],
    query: "web.shop.svc.cluster.local. A",
    want: answer("web.shop.svc.cluster.local. 5 IN A 10.0.0.1"),
  },
  {
    name: "the question keeps its letter case and so does the owner (B-19, B-37)",
    given,
    query: "wEb.ShOp.SVC.Cluster.LOCAL. A",
    want: answer("wEb.ShOp.SVC.Cluster.LOCAL. 5 IN A 10.0.0.1"),
  },
  {
    name: "a Service of that name in another namespace is another one",
    given: [...given, namespace("home"), service("home/web", { ips: ["10.0.0.77"] })],
    query: "web.home.svc.cluster.local. A",
    want: answer("web.home.svc.cluster.local. 5 IN A 10.0.0.77"),
  },
  {
    name: "the TTL is as configured (A-12)",
    given,
    options: { ttlSeconds: 30 },
    query: "web.shop.svc.cluster.local. A",
    want: answer("web.shop.svc.cluster.local. 30 IN A 10.0.0.1"),
  },
  {
    name: "the SOA of a negative answer has the configured TTL as TTL and MINIMUM (B-41)",
    given,
    options: { ttlSeconds: 30 },
    query: "nope.shop.svc.cluster.local. A",
    want: nxdomain(30),
  },
  {
    name: "an endpoint of a ClusterIP Service has a dashed name (0.8)",
    given: [...given, PODS],
    query: "10-1-0-2.web.shop.svc.cluster.local. A",
    want: answer("10-1-0-2.web.shop.svc.cluster.local. 5 IN A 10.1.0.2"),
  },
  {
    name: "an endpoint of a ClusterIP Service has its hostname",
    given: [...given, PODS],
    query: "leader.web.shop.svc.cluster.local. A",
    want: answer("leader.web.shop.svc.cluster.local. 5 IN A 10.1.0.3"),
  },
  {
    name: "an endpoint with a hostname has no dashed name",
    given: [...given, PODS],
    query: "10-1-0-3.web.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "endpoints of ClusterIP Services that are not watched are no denial: SERVFAIL (EDE 22)",
    given: [...given, PODS],
    options: { endpoints: "headless" },
    query: "leader.web.shop.svc.cluster.local. A",
    edns: {},
    want: { rcode: "SERVFAIL", flags: "qr rd ra", ede: [22] },
  },
  {
    name: "what begins with an underscore is no endpoint, watched or not",
    given,
    options: { endpoints: "headless" },
    query: "_nope.web.shop.svc.cluster.local. A",
    want: nxdomain(),
  },
  {
    name: "_tcp is answered from the Service where endpoints are not watched",
    given,
    options: { endpoints: "headless" },
    query: "_tcp.web.shop.svc.cluster.local. A",
    want: nodata(),
  },
  {
    name: "PTR of an IPv4 ClusterIP (A-26)",
    given,
    query: "1.0.0.10.in-addr.arpa. PTR",
    want: answer("1.0.0.10.in-addr.arpa. 5 IN PTR web.shop.svc.cluster.local."),
  },
  {
    name: "PTR of an IPv6 ClusterIP (A-27)",
    given,
    query: "3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa. PTR",
    want: answer(
      "3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa. 5 IN PTR dual.shop.svc.cluster.local.",
    ),
  },
  {
    name: "PTR takes hexadecimal digits in any case",
    given,
    query: "3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.D.F.IP6.arpa. PTR",
    want: answer(
      "3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.D.F.IP6.arpa. 5 IN PTR dual.shop.svc.cluster.local.",
    ),
  },
  {
    name: "an address that is a ClusterIP and an endpoint leads to the ClusterIP's Service (A-38)",
    given: [
      ...given,
      service("shop/front", { ips: ["10.0.0.20"] }),
      slice("shop/front", { endpoints: endpoints("10.0.0.1") }),
    ],
    query: "1.0.0.10.in-addr.arpa. PTR",
    want: answer("1.0.0.10.in-addr.arpa. 5 IN PTR web.shop.svc.cluster.local."),
  },
  {
    name: "PTR of an endpoint of a ClusterIP Service",
    given: [...given, PODS],
    query: "3.0.1.10.in-addr.arpa. PTR",
    want: answer("3.0.1.10.in-addr.arpa. 5 IN PTR leader.web.shop.svc.cluster.local."),
  },
  {
    name: "another type at an address we know is NODATA",
    given,
    query: "1.0.0.10.in-addr.arpa. TXT",
    want: nodata(5, "in-addr.arpa."),
  },
  {
    name: "ANY at an address we know",
    given,
    query: "1.0.0.10.in-addr.arpa. ANY",
    want: answer('1.0.0.10.in-addr.arpa. 5 IN HINFO "RFC8482" ""'),
  },
];
