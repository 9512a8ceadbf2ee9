#!/usr/bin/env bash
# Proves services/LAYERS: includes from the source text, calls of the pure rooms from the object files.
#   layers.sh BUILD-FOLDER
set -euo pipefail
build=${1:?folder of the build}
failed=0
say() { printf 'layers: %s\n' "$*" >&2; failed=1; }

allowed_symbols=$(sed -n 's/^# \([a-z_].*\)/\1/p' services/LAYERS | grep -E '^[a-z_0-9 ]+$' | tr ' ' '\n' | sort -u)
# What sanitizers and coverage add to our own code.
instrumentation='^(__asan_|__ubsan_|__tsan_|__sanitizer_|__gcov_|__llvm_|__start_|__stop_|_GLOBAL_OFFSET_TABLE_$|__sancov_)'

while IFS= read -r line; do
  room=${line%%:*}
  rest=${line#*:}
  pure=no
  case " $rest " in *" pure "*) pure=yes ;; esac
  may=" $room ${rest//pure/} "
  # main.c of a program is its composition root: it may join any room.
  while IFS=: read -r file include; do
    target=$include
    case "$target" in adapters/*/*) target=$(echo "$target" | cut -d/ -f1-2) ;; */*) target=${target%%/*} ;; *) continue ;; esac
    [ -d "services/$target" ] || continue
    case " $may " in *" $target "*) ;; *) say "$file includes $include, but $room may use only:$rest" ;; esac
  done < <(grep -rHoE --include='*.[ch]' --exclude=main.c '^#include "[^"]+"' "services/$room" 2>/dev/null |
           sed -E 's/^([^:]+):#include "([^"]+)"/\1:\2/')
  [ "$pure" = yes ] || continue
  lib=$build/lib/libloy-${room//\//-}.a
  [ -f "$lib" ] || { say "$lib is missing: build first"; continue; }
  libs=$lib
  for other in ${rest//pure/}; do libs="$libs $build/lib/libloy-${other//\//-}.a"; done
  # shellcheck disable=SC2086
  nm -A $libs 2>/dev/null | awk 'NF > 2 && $(NF-1) ~ /^[TDBRVWi]$/ {print $NF}' | sort -u > "$build/layers.defined"
  nm -A -u "$lib" 2>/dev/null | awk '{print $NF}' | sort -u |
    comm -23 - "$build/layers.defined" | grep -vE "$instrumentation" | comm -23 - <(printf '%s\n' "$allowed_symbols") > "$build/layers.foreign" || true
  while IFS= read -r symbol; do
    where=$(nm -A -u "$lib" 2>/dev/null | awk -v s="$symbol" '$NF == s {print $1}' | sed 's/:$//; s/.*://' | head -1)
    say "$room calls $symbol (${where:-$lib}), which is not in the short list of services/LAYERS"
  done < "$build/layers.foreign"
  # A pure room keeps nothing between calls: no writable data.
  while IFS= read -r symbol; do
    say "$room has the writable global $symbol"
  done < <(nm -f sysv "$lib" 2>/dev/null | awk -F'|' '{gsub(/ /, "")} $7 ~ /^\.(data|bss|tdata|tbss|COM)/ && $7 !~ /^\.data\.rel\.ro/ {print $1}' |
    grep -vE "$instrumentation|^\.LC|^\.data|^\.bss" || true)
done < <(grep -E '^[a-z/]+:' services/LAYERS)
exit $failed
