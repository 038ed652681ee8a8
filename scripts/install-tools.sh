#!/bin/sh
# Debian packages that a fresh machine needs for `npm run bench` (dnsperf) and for the commands of the documents, which a test
# runs (dig, curl, ss). Everything else comes from npm, and the programs of a control plane from Go modules (build-assets.ts).
set -eu

missing=""
need() { # program, package
  command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need dnsperf dnsperf
need dig bind9-dnsutils
need curl curl
need ss iproute2
[ -n "$missing" ] || { echo "install-tools: nothing is missing"; exit 0; }

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  apt-get update -qq
  # shellcheck disable=SC2086 # one word for each package
  exec apt-get install -y --no-install-recommends $missing
fi
echo "install-tools: missing:$missing. Install with your package manager (Debian: sudo apt-get install$missing)" >&2
exit 1
