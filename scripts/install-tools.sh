#!/bin/sh
# Debian packages that a fresh machine needs for `npm run bench` (dnsperf). Everything else comes from npm, and the programs
# of a control plane from Go modules (build-assets.ts).
set -eu

missing=""
command -v dnsperf >/dev/null 2>&1 || missing="$missing dnsperf"
[ -n "$missing" ] || { echo "install-tools: nothing is missing"; exit 0; }

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  apt-get update -qq
  # shellcheck disable=SC2086 # one word for each package
  exec apt-get install -y --no-install-recommends $missing
fi
echo "install-tools: missing:$missing. Install with your package manager (Debian: sudo apt-get install$missing)" >&2
exit 1
