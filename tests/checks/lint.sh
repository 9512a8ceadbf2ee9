#!/usr/bin/env bash
# clang-tidy over the C files that changed since they were last clean: lint.sh BUILD-FOLDER
set -euo pipefail
stamps=${1:?folder of the build}/lint
newest_header=$(find services tests -name '*.h' -newer "$stamps/.headers" 2>/dev/null | head -1 || true)
mkdir -p "$stamps"
[ -f "$stamps/.headers" ] && [ -z "$newest_header" ] || { rm -rf "${stamps:?}"/*; touch "$stamps/.headers"; }
todo=()
while IFS= read -r file; do
  stamp=$stamps/${file//\//-}
  [ "$stamp" -nt "$file" ] || todo+=("$file")
done < <(find services -name '*.c')
[ ${#todo[@]} -eq 0 ] && exit 0
printf '%s\n' "${todo[@]}" | xargs -P "$(nproc)" -I{} sh -c \
  'out=$(clang-tidy --quiet -p . "$1" 2>/dev/null) && touch "$2/$(echo "$1" | tr / -)" || { printf "%s\n" "$out"; exit 1; }' _ {} "$stamps"
