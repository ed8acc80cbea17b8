#!/usr/bin/env bash
# Everything that a change has to pass: what is generated is up to date, the
# linters are content, the tests pass. CI runs it, in a tree that is clean; here
# it also works on a change that is not committed yet.
set -euo pipefail
cd "$(dirname "$0")/../.."

# say prints a step, so that a log shows where the time goes.
say() { printf '\n== %s (after %d s)\n' "$1" "$SECONDS"; }

# state names all that git knows or would add, as one hash.
state() {
  local index
  index=$(mktemp -u)
  GIT_INDEX_FILE=$index git add --all
  GIT_INDEX_FILE=$index git write-tree
  rm -f "$index"
}

say 'generate, and require that this changes nothing'
before=$(state)
internal/tools/generate.sh
after=$(state)
if [[ $before != "$after" ]]; then
  echo 'What is generated was not up to date. This has changed; commit it:'
  git diff --stat "$before" "$after"
  exit 1
fi

say 'lint'
internal/tools/lint.sh

say 'test'
go test -race -shuffle=on -timeout=20m ./...

say 'the TypeScript client'
internal/tools/typescript.sh

# One round of each, so that none rots; `task bench` measures.
say 'benchmarks still run'
go test -run='^$' -bench=. -benchtime=1x ./...

say 'fuzz'
internal/tools/fuzz.sh

say 'all is well'
