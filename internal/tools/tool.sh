#!/usr/bin/env bash
# tool.sh NAME ARGS…: runs buf, sqlc, golangci-lint or task in the version that
# its mod file pins. A program already on PATH in that very version is taken
# instead, since compiling these takes minutes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
name=$1
shift

case $name in
  buf) folder=buf module=github.com/bufbuild/buf version_args=--version ;;
  sqlc) folder=sqlc module=github.com/sqlc-dev/sqlc version_args=version ;;
  golangci-lint) folder=lint module=github.com/golangci/golangci-lint/v2 version_args=version ;;
  task) folder=task module=github.com/go-task/task/v3 version_args=--version ;;
  *) echo "tool.sh: no tool is called $name" >&2; exit 2 ;;
esac

pinned=$(awk -v module="$module" '$1 == module {print substr($2, 2)}' "$here/$folder/go.mod")
if installed=$("$name" "$version_args" 2>&1) && [[ $installed == *"$pinned"* ]]; then
  exec "$name" "$@"
fi
# sqlc's C parser has a pure Go twin: no C compiler is needed.
CGO_ENABLED=0 exec go tool -modfile="$here/$folder/go.mod" "$name" "$@"
