#!/usr/bin/env bash
# tool.sh NAME ARGS…: runs buf, sqlc, golangci-lint, task or the plugin of OpenAPI in the version that
# its mod file pins. A program on PATH that says it is that version is taken,
# since compiling these takes minutes; else it is made once, in .cache/tools.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
name=${1:?usage: tool.sh NAME ARGS…}
shift

case $name in
  buf) folder=buf module=github.com/bufbuild/buf version_args=--version ;;
  sqlc) folder=sqlc module=github.com/sqlc-dev/sqlc version_args=version ;;
  golangci-lint) folder=lint module=github.com/golangci/golangci-lint/v2 version_args=version ;;
  task) folder=task module=github.com/go-task/task/v3 version_args=--version ;;
  protoc-gen-connect-openapi) folder=openapi module=github.com/sudorandom/protoc-gen-connect-openapi version_args=--version ;;
  *) echo "tool.sh: no tool is called $name" >&2; exit 2 ;;
esac

modfile=$root/internal/tools/$folder/go.mod
pinned=$(awk -v module="$module" '$1 == module {print substr($2, 2)}' "$modfile")
[[ -n $pinned ]] || { echo "tool.sh: $modfile pins no $module" >&2; exit 1; }

# The version as a word: neither 1.75.0 in 11.75.0 nor in 1.75.0-rc1.
word="(^|[^0-9.])${pinned//./\\.}($|[^0-9.-])"
if said=$("$name" "$version_args" 2>&1 </dev/null) && [[ $said =~ $word ]]; then
  exec "$name" "$@"
fi

built=$root/.cache/tools/$name-$pinned

# npm carries buf ready made, which is quicker to have.
fetch() {
  [[ $name == buf ]] && command -v npm >/dev/null || return 1
  npm install --silent --no-audit --no-fund --no-save --prefix "$built.npm" "@bufbuild/buf@$pinned" >&2 || return 1
  ln -sfn "$built.npm/node_modules/.bin/buf" "$built"
}

# Without cgo no C compiler is needed: sqlc's C parser has a pure Go twin. The
# rename makes a compilation that is cut off leave nothing half made.
compile() {
  echo "tool.sh: compiling $name $pinned, once; this takes minutes" >&2
  (cd "$root/internal/tools/$folder" && CGO_ENABLED=0 go build -buildvcs=false -o "$built.$$" tool)
  mv "$built.$$" "$built"
}

if [[ ! -x $built ]]; then
  mkdir -p "$root/.cache/tools"
  fetch || compile
fi
exec "$built" "$@"
