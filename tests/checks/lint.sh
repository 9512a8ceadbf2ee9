#!/usr/bin/env bash
# clang-tidy over the C files that changed, or whose headers did, since they were last clean: lint.sh BUILD-FOLDER
# What a file includes is what the compiler wrote down when it was last built; one that was not built is looked at.
set -euo pipefail
build=${1:?folder of the build}
stamps=$build/lint
mkdir -p "$stamps"
is_clean() { # file
  local stamp=$stamps/${1//\//-} includes=$build/obj/${1#services/}
  includes=${includes%.c}.d
  [ -e "$stamp" ] && [ -e "$includes" ] || return 1
  # shellcheck disable=SC2046  # names without spaces
  [ -z "$(find .clang-tidy $(sed -e '/:$/d; s/^[^:]*: //; s/\\$//' "$includes") -newer "$stamp" 2>/dev/null)" ]
}
todo=()
while IFS= read -r file; do
  is_clean "$file" || todo+=("$file")
done < <(find services -name '*.c')
[ ${#todo[@]} -eq 0 ] && exit 0
# The stamp is as old as the look began: what changes meanwhile is looked at again.
printf '%s\n' "${todo[@]}" | xargs -P "$(nproc)" -I{} sh -c '
  stamp=$2/$(echo "$1" | tr / -); touch "$stamp.new"
  out=$(clang-tidy --quiet -p . "$1" 2>/dev/null) && mv "$stamp.new" "$stamp" || { rm -f "$stamp.new"; printf "%s\n" "$out"; exit 1; }' _ {} "$stamps"
