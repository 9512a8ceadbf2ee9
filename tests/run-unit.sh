#!/usr/bin/env bash
# Runs cmocka programs and adds up what they say: run-unit.sh PROGRAM …
# Closes with `N passed, N failed, N skipped`; exits 1 when anything failed or a program did not finish.
set -u
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for program in "$@"; do
  "$program" > "$log" 2>&1
  status=$?
  ok=$(grep -c '^\[       OK \]' "$log")
  bad=$(sed -nE 's/^\[  FAILED  \] (.*: )?([0-9]+) test\(s\), listed below:$/\2/p' "$log" | awk '{n += $1} END {print n + 0}')
  skip=$(sed -nE 's/^\[  SKIPPED \] ([0-9]+) test\(s\), listed below:$/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
  [ "$skip" -eq 0 ] || printf 'skipped in this build: %s\n' "$(sed -nE 's/^\[  SKIPPED \] ([a-z]\w*)$/\1/p' "$log" | sort -u | xargs)"
  if [ $status -ne 0 ]; then
    printf '%s failed (exit %d):\n' "$program" $status
    grep -vE '^\[ (RUN     |      OK) \]' "$log" | tail -60
    [ "$bad" -eq 0 ] && bad=1
  fi
  passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
done
printf 'unit: %d passed, %d failed, %d skipped\n' $passed $failed $skipped
[ $failed -eq 0 ]
