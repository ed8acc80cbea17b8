#!/usr/bin/env bash
# Runs each fuzz target of the project for a while (`fuzz.sh 10m`; 10 seconds where
# nothing is said), two at a time. They are found by their names in the tests, so
# that none can be forgotten. What a target finds stays in its testdata/fuzz: commit
# it with the mending, and every later `go test` tries it again.
set -euo pipefail
cd "$(dirname "$0")/../.."
export time=${1:-10s}

# one runs a target of a package, and tells of it in one piece.
one() {
  local output
  # Making inputs short, by default for a minute, would take the time of finding some.
  if ! output=$(go test "$1" -run='^$' -fuzz="^$2\$" -fuzztime="$time" -fuzzminimizetime=100x -parallel=1 2>&1); then
    printf '%s\n%s %s failed\n' "$output" "$1" "$2"
    exit 255 # ends xargs, too
  fi
  printf '%s %s: %s\n' "$1" "$2" "$(grep -o 'execs: [0-9]*' <<<"$output" | tail -1)"
}
export -f one

grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9]*' cmd internal |
  sed -E 's|^(.*)/[^/]*:func (.*)$|./\1 \2|' | sort |
  xargs -P 2 -L 1 bash -c 'one "$@"' one
