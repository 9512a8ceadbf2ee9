#!/usr/bin/env bash
# Runs one fuzz target: run.sh BUILD-FOLDER NAME SECONDS. Seeds are made anew, what was found before stays in the
# corpus; a crash leaves its input beside it and shows its report.
set -euo pipefail
build=${1:?} name=${2:?} seconds=${3:?}
corpus=$build/fuzz/$name
mkdir -p "$corpus"
if [ -f "tests/fuzz/seed_$name.py" ]; then "${PYTHON:-python3}" "tests/fuzz/seed_$name.py" "$build" "$corpus"; fi
if "$build/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -max_len=4096 -artifact_prefix="$build/fuzz/$name-" \
    "$corpus" > "$build/fuzz/$name.log" 2>&1; then
  printf 'fuzz: %s: %s\n' "$name" "$(grep DONE "$build/fuzz/$name.log")"
else
  grep -vE '^#[0-9]+\s+(NEW|REDUCE|pulse)' "$build/fuzz/$name.log" | tail -60
  exit 1
fi
