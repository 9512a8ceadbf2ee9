#!/usr/bin/env bash
# The README's commands on fresh Debian folders: os-check.sh [bookworm] [trixie]
# Each suite is debootstrapped (kept as an archive in build/os, so that a second time is quicker) and gets the checkout's
# files. In namespaces of its own, a user with sudo runs `make all` in one copy and `make run ONCE=1` in another, then
# root `make run ONCE=1` twice and `make test` (TEST=0: not). Needs network.
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
root=$1 shared=$2 wants_test=$3
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"; ln -s /proc/self/fd "$root/dev/fd"
[ -z "$shared" ] || { mkdir -p "$root/opt/shared"; mount --bind -o ro "$shared" "$root/opt/shared"; }
clean=(env -i TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
chroot "$root" "${clean[@]}" sh -euc '
  apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends sudo >/dev/null 2>&1
  useradd --create-home guest; echo "guest ALL=(ALL) NOPASSWD: ALL" > /etc/sudoers.d/guest
  cp -r /opt/loyald /home/guest/first; cp -r /opt/loyald /home/guest/second; chown -R guest /home/guest'
chroot --userspec=guest "$root" "${clean[@]}" HOME=/home/guest sh -euc '
  . /etc/os-release
  seconds() { echo "== $PRETTY_NAME: $1: $(( $(date +%s) - start )) s"; }
  start=$(date +%s); cd ~/first; make -j2 all; seconds "make all as a user with sudo, packages of the build with it"
  start=$(date +%s); cd ~/second; make run ONCE=1; seconds "make run as a user with sudo, the other packages with it"'
chroot "$root" "${clean[@]}" HOME=/root wants_test="$wants_test" sh -euc '
  cd /opt/loyald; . /etc/os-release
  seconds() { echo "== $PRETTY_NAME: $1: $(( $(date +%s) - start )) s"; }
  start=$(date +%s); make run ONCE=1; seconds "make run as root, packages there"
  start=$(date +%s); make run ONCE=1 >/dev/null; seconds "make run as root, built"
  echo "== left running:"; cat /proc/[0-9]*/comm | grep -E "postgres|redis|loyal" || echo nothing
  [ "$wants_test" = 0 ] || { start=$(date +%s); make test; seconds "make test"; }
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
  printf '127.0.0.1 localhost %s\n' "$(uname -n)" > "$root/etc/hosts"
  mkdir -p "$root/opt/loyald"
  git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf - | tar -C "$root/opt/loyald" -xf -
  unshare --mount --pid --fork --kill-child --propagation private bash -c "$(inside)" os-check "$root" "${LOYALD_SHARED:-}" "${TEST:-1}" || failed=1
  rm -rf --one-file-system "$root"
done
exit $failed
