#!/usr/bin/env bash
# Both commands of the README on fresh Debian folders: os-check.sh [bookworm] [trixie]
# Each suite is debootstrapped (kept as an archive in build/os, so that a second time is quicker), gets the checkout's
# files in /opt/loyald, and runs `make run ONCE=1` and `make test` as root in namespaces of its own. Needs network.
# Shared test data is shown to it read-only where LOYALD_SHARED says so; else those tests are skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" -eq 0 ] || { echo "os-check: as root, since it makes a system of its own" >&2; exit 1; }
command -v debootstrap >/dev/null || deploy/dev/packages.sh system
mkdir -p build/os
mirror=${MIRROR:-http://deb.debian.org/debian}

# What runs inside: mounts vanish with the namespace, processes with its first one.
inside() {
  cat <<'SCRIPT'
set -eu
root=$1 shared=$2
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"; ln -s /proc/self/fd "$root/dev/fd"
[ -z "$shared" ] || { mkdir -p "$root/root/shared"; mount --bind -o ro "$shared" "$root/root/shared"; }
chroot "$root" env -i HOME=/root TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -euc '
  cd /opt/loyald
  . /etc/os-release; echo "== $PRETTY_NAME: make run"
  start=$(date +%s); make run ONCE=1; echo "== make run, with packages: $(( $(date +%s) - start )) s"
  start=$(date +%s); make run ONCE=1 >/dev/null; echo "== make run, without packages: $(( $(date +%s) - start )) s"
  echo "== left running:"; cat /proc/[0-9]*/comm | grep -E "postgres|redis|loyal" || echo nothing
  start=$(date +%s); make test; echo "== make test: $(( $(date +%s) - start )) s"
'
SCRIPT
}

failed=0
[ $# -gt 0 ] || set -- bookworm trixie
for suite in "$@"; do
  archive=build/os/$suite.tar
  root=$(mktemp -d "${TMPDIR:-/tmp}/loyald-os-$suite.XXXXXX")
  if [ ! -e "$archive" ]; then
    debootstrap --variant=minbase --include=git,make,ca-certificates "$suite" "$root" "$mirror" >"build/os/$suite.log"
    rm -f "$root"/var/cache/apt/archives/*.deb
    tar -C "$root" -cf "$archive.part" . && mv "$archive.part" "$archive"
  else
    tar -C "$root" -xf "$archive"
  fi
  chmod 755 "$root"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  mkdir -p "$root/opt/loyald"
  git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf - | tar -C "$root/opt/loyald" -xf -
  unshare --mount --pid --fork --kill-child --propagation private bash -c "$(inside)" os-check "$root" "${LOYALD_SHARED:-}" || failed=1
  rm -rf --one-file-system "$root"
done
exit $failed
