#!/usr/bin/env bash
# Runs one fuzz target: run.sh BUILD-FOLDER NAME SECONDS [CASES]. Seeds are made anew, what was found before stays in the
# corpus; a crash leaves its input beside it and shows its report. With CASES: so many of them, however long it takes.
set -euo pipefail
build=${1:?} name=${2:?} seconds=${3:?} cases=${4:-}
corpus=$build/fuzz/$name
mkdir -p "$corpus"
if [ -f "tests/fuzz/seed_$name.py" ]; then "${PYTHON:-python3}" "tests/fuzz/seed_$name.py" "$build" "$corpus"; fi
options=(-max_len=4096)
case $name in
  # Small inputs, and no book-keeping of how rare each feature is: that took a third of the time.
  cel_agree) options=(-max_len=160 -entropic=0) ;;
  cel_*) options=(-max_len=512 -entropic=0) ;;
esac
if [ -f "$build/fuzz/$name.dict" ]; then options+=("-dict=$build/fuzz/$name.dict"); fi
if [ -n "$cases" ]; then options+=("-runs=$cases"); else options+=("-max_total_time=$seconds"); fi
if "$build/tests/fuzz/fuzz_$name" "${options[@]}" -artifact_prefix="$build/fuzz/$name-" "$corpus" > "$build/fuzz/$name.log" 2>&1; then
  printf 'fuzz: %s: %s\n' "$name" "$(grep DONE "$build/fuzz/$name.log")"
else
  grep -vE '^#[0-9]+\s+(NEW|REDUCE|pulse)' "$build/fuzz/$name.log" | tail -60
  exit 1
fi
