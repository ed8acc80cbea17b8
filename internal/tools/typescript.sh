#!/usr/bin/env bash
# Checks and tests what is written in TypeScript, where Node is here: the client,
# whose package must be as users of npm expect, and the page. Their tests run
# against the real server, in Node and in Chromium.
set -euo pipefail
cd "$(dirname "$0")/../.."

internal/tools/npm.sh || exit 0
for folder in clients/typescript internal/web; do
  cd "$folder"
  npm run --silent check
  npm test --silent
  cd "$OLDPWD"
done
