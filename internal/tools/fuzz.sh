#!/usr/bin/env bash
# Runs each fuzz target of the project for a while (`fuzz.sh 10m`; 10 seconds where
# nothing is said), two at a time. They are found by their names in the tests, so
# that none can be forgotten. What a target finds stays in its testdata/fuzz: commit
# it with the mending, and every later `go test` tries it again.
set -euo pipefail
cd "$(dirname "$0")/../.."
export time=${1:-10s}

# inputs are the files of a target of a package, in which what it has found stays.
inputs() { ls "$1/testdata/fuzz/$2" 2>/dev/null; }

# only_late holds where nothing failed but Go, which at times takes the end of the time for an
# error of the target (golang/go#56238 and #75804, mended in Go 1.27). Where an input fails, Go
# says that or leaves it in a file.
only_late() { # package, target, output, inputs before
  local end=$'--- FAIL: '$2$' \\([0-9.]+s\\)\n    context deadline exceeded\nFAIL\n'
  [[ $3 =~ $end && $3 != *[Ff]'ailing input'* && $(inputs "$1" "$2") == "$4" ]]
}

# one runs a target of a package, and tells of it in one piece.
one() {
  local before output late=
  before=$(inputs "$1" "$2")
  # Making inputs short, by default for a minute, would take the time of finding some.
  if ! output=$(go test "$1" -run='^$' -fuzz="^$2\$" -fuzztime="$time" -fuzzminimizetime=100x -parallel=1 2>&1); then
    if ! only_late "$1" "$2" "$output" "$before"; then
      printf '%s\n%s %s failed\n' "$output" "$1" "$2"
      exit 255 # ends xargs, too
    fi
    late=' (Go called the end of the time a failure; no input failed)'
  fi
  printf '%s %s: %s%s\n' "$1" "$2" "$(grep -o 'execs: [0-9]*' <<<"$output" | tail -1)" "$late"
}
export -f inputs only_late one

grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9]*' cmd internal |
  sed -E 's|^(.*)/[^/]*:func (.*)$|./\1 \2|' | sort |
  xargs -P 2 -L 1 bash -c 'one "$@"' one
