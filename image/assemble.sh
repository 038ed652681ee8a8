#!/bin/sh
# Puts the files of the image, except those of its bases, into ROOTFS: the programs that run and nothing that only built them.
# Run by the Dockerfile and, for images that are assembled from a checkout, by scripts/build-image.ts; needs setcap and root.
#
# usage: assemble.sh ROOTFS      Node.js is expected in ROOTFS/nodejs, the built programs in dist beside this directory
set -eu
rootfs=$1
PATH=$PATH:/usr/sbin:/sbin
cd "$(dirname "$0")/.."

install -d "$rootfs/busybox" "$rootfs/app/bin" "$rootfs/app/dist" "$rootfs/bake"
busybox=$(command -v busybox)
install -m 755 "$busybox" "$rootfs/busybox/busybox"
ln -sf busybox "$rootfs/busybox/sh"
install -m 755 image/heartbeat image/link-local image/holdfast "$rootfs/busybox/"

install -m 644 package.json LICENSE "$rootfs/app/"
install -m 755 bin/holdfast.cjs "$rootfs/app/bin/"
for program in dist/*.cjs; do
  case $program in
  dist/demo*) ;;
  *) install -m 644 "$program" "$rootfs/app/dist/" ;;
  esac
done

# What bakes the compile cache, and stays out of the image.
install -m 644 image/bake-compile-cache.cjs "$rootfs/bake/"
install -d "$rootfs/bake/manifests"
install -m 644 examples/manifests/* "$rootfs/bake/manifests/"

# The agent is not root and its port is 53. A container that lacks NET_BIND_SERVICE in its bounding set cannot start this file at all,
# so every pod needs `capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}`, which the restricted Pod Security Standard allows.
setcap cap_net_bind_service=+ep "$rootfs/nodejs/bin/node"
