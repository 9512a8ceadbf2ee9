#!/usr/bin/env bash
# Installs what loyald is built, run and tested with, from Debian's own packages (12 and 13). No system service is
# created, enabled or left running: policy-rc.d refuses their start while we install.
#   packages.sh [build|run|test|kafka|system …]      default: build run test
set -euo pipefail

build="gcc g++ make pkg-config librdkafka-dev libhiredis-dev libpq-dev libprotobuf-c-dev protobuf-c-compiler
       protobuf-compiler libprotobuf-dev nettle-dev libjansson-dev libmicrohttpd-dev liblz4-dev libre2-dev libyaml-dev"
run="postgresql redis-server kcat python3 tzdata"
test="libcmocka-dev clang clang-format clang-tidy python3-pytest python3-pytest-xdist python3-psycopg python3-confluent-kafka
      python3-redis python3-protobuf python3-jsonschema python3-yaml zstd kcat git patch pgbouncer"
kafka=  # of KAFKA=apache alone; any Java from 17 on does
command -v java >/dev/null || kafka+=" default-jre-headless"
command -v mvn >/dev/null || kafka+=" maven"
system="debootstrap podman buildah podman-compose runc ca-certificates"  # of os-check and image-check alone

[ $# -gt 0 ] || set -- build run test
wanted=$(for set in "$@"; do printf '%s ' ${!set}; done)
missing=$(for package in $wanted; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$package"
done)
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "packages: as root, or install sudo: apt-get install $missing" >&2; exit 1; }
  sudo=sudo
fi
echo "packages: installing $missing" >&2
# Debian's packages of PostgreSQL and Redis start a service and make a cluster: not for us.
$sudo sh -c '
  set -e
  policy=/usr/sbin/policy-rc.d
  kept=
  [ -e $policy ] && kept=$(mktemp) && cp -p $policy "$kept"
  restore() { if [ -n "$kept" ]; then mv "$kept" $policy; else rm -f $policy; fi; }
  trap restore EXIT
  printf "#!/bin/sh\nexit 101\n" > $policy && chmod 755 $policy
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends '"$missing"' >/dev/null
'
