#!/usr/bin/env bash
# Fails where the last change of proto/, committed or not, breaks callers. What
# it is compared with is the commit before that change, where there is one.
set -euo pipefail
cd "$(dirname "$0")/../.."

base=HEAD
if [[ -z $(git status --porcelain -- proto) ]]; then
  base=$(git log -1 --format=%H -- proto)^
fi
if ! git rev-parse --quiet --verify "$base:proto" >/dev/null; then
  echo "breaking.sh: there is no earlier proto/ to compare with"
  exit
fi

# buf.yaml names .cache/proto, which no commit holds: buf compares folders.
before=.cache/breaking
rm -rf "$before"
mkdir -p "$before/.cache"
git archive "$base" proto buf.yaml | tar -x -C "$before"
cp -r .cache/proto "$before/.cache/"
internal/tools/tool.sh buf breaking --against "$before"
