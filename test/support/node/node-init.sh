#!/bin/sh
# First process of a node's namespaces (namespaces.ts). Gives the node directories of its own where nodes keep their files, and
# waits for the end of its input: with this process, the kernel ends everything on the node and frees what it mounted.
# usage: node-init.sh DIRECTORY
set -eu
node=$1

# A kubelet shares mounts with pods; nothing is shared with the machine (unshare made its mounts private).
mount --make-rshared /
for directory in run var/lib var/log; do
  mkdir -p "$node/$directory"
  mount --bind "$node/$directory" "/$directory"
done

# Settings of the whole machine that a kubelet would change find their wanted value in a file, and stay.
mkdir "$node/settings"
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  path=/proc/sys/${setting%=*}
  file=$node/settings/$(basename "$path")
  [ -e "$path" ] || continue
  echo "${setting#*=}" >"$file"
  mount --bind "$file" "$path"
done

echo "namespaces are ready"
# A child reads, so that the shell can reap the processes that lose their parents.
cat >/dev/null
