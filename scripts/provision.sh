#!/usr/bin/env bash
# Sees to it that the programs which the tests run are installed.
# As root on Debian or Ubuntu it installs what is missing; elsewhere it names it and fails.
set -euo pipefail

# program:package
needed=(git:git ps:procps bwrap:bubblewrap unshare:util-linux setpriv:util-linux mount:mount
  script:bsdutils openssl:openssl linux.uml:user-mode-linux cc:gcc cc:libc6-dev
  podman:podman runc:runc catatonit:catatonit busybox:busybox-static)

missing=()
for pair in "${needed[@]}"; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
[ "${#missing[@]}" -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "provision: install these and run again: ${missing[*]}" >&2
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
