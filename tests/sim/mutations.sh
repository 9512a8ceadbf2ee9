#!/usr/bin/env bash
# Breaks the worker, the engine or the simulated store in one place at a time, and sees that the simulator finds out:
#   mutations.sh BUILD SEEDS [NAME …]
# Each tests/sim/mutations/NAME.patch is applied to a copy of its file, that alone is compiled anew, and a simulator of
# its own is linked in BUILD/mutations. The shipped programs never see any of it. A patch that does not apply any more is
# a failure too: it has to follow the code.
set -u
build=${1:?folder of the build} seeds=${2:?seeds}
shift 2
here=tests/sim/mutations
names=("$@")
[ ${#names[@]} -gt 0 ] || mapfile -t names < <(basename -s .patch "$here"/*.patch)
survived=0
for name in "${names[@]}"; do
  folder=$build/mutations/$name
  file=$(sed -n 's|^+++ b/||p' "$here/$name.patch" | head -1)
  rm -rf "$folder" && mkdir -p "$folder/$(dirname "$file")"
  cp "$file" "$folder/$file"
  if ! patch -s -p1 -d "$folder" < "$here/$name.patch" > "$folder/patch.log" 2>&1; then
    echo "mutation $name: the patch does not apply to $file any more"
    survived=$((survived + 1))
    continue
  fi
  # The mutated object comes before the archive that has the sound one, so that the linker takes it.
  if ! make -s "$folder/sim" MUTATED="$folder/$file" > "$folder/make.log" 2>&1; then
    echo "mutation $name: does not build, see $folder/make.log"
    survived=$((survived + 1))
    continue
  fi
  "$folder/sim" --seeds "$seeds" --until-failure > "$folder/sim.log" 2> /dev/null
  found=$(grep -m1 '^seed ' "$folder/sim.log")
  if [ -z "$found" ]; then
    echo "mutation $name: survived $seeds seeds"
    survived=$((survived + 1))
  else
    echo "mutation $name: $found" | cut -c1-140
  fi
done
echo "mutations: ${#names[@]} tried, $survived not caught"
[ "$survived" -eq 0 ]
