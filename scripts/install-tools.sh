#!/bin/sh
# Debian packages that a fresh machine needs for `npm run bench` (dnsperf), for the commands of the documents, which a test
# runs (dig, curl, ss), and for `npm run test:cluster`: what a Kubernetes node takes from its distribution (runc, CNI plugins,
# nft, ip), what makes images (buildah, a static busybox) and what compiles test programs. Everything else comes from npm, and
# the programs of Kubernetes from Go modules (build-assets.ts).
set -eu

missing=""
add() { # package
  case " $missing " in *" $1 "*) ;; *) missing="$missing $1" ;; esac
}
need() { # program, package
  # Where a user's PATH lacks the directories of system programs, what is there must be found all the same.
  PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 || add "$2"
}
need dnsperf dnsperf
need dig bind9-dnsutils
need curl curl
need ss iproute2

need ip iproute2
need nft nftables
need iptables iptables
need unshare util-linux
need setpriv util-linux
need setcap libcap2-bin
need runc runc
need buildah buildah
need gcc gcc
need musl-gcc musl-tools
[ -x /usr/lib/cni/ptp ] || [ -x /opt/cni/bin/ptp ] || add containernetworking-plugins
# The package `busybox` has the same program, linked to the distribution's libc: useless in an image without one.
LC_ALL=C ldd "$(command -v busybox || echo /bin/false)" 2>&1 | grep -q "not a dynamic executable" || add busybox-static
[ -n "$missing" ] || { echo "install-tools: nothing is missing"; exit 0; }

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  apt-get update -qq
  # shellcheck disable=SC2086 # one word for each package
  exec apt-get install -y --no-install-recommends $missing
fi
echo "install-tools: missing:$missing. Install with your package manager (Debian: sudo apt-get install$missing)" >&2
exit 1
