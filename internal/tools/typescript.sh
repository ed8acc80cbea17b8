#!/usr/bin/env bash
# Checks and tests clients/typescript, where Node is here. Its package must be as
# users of npm expect, and its tests run against the real server, in Node and in
# Chromium.
set -euo pipefail
cd "$(dirname "$0")/../.."

internal/tools/npm.sh || exit 0
cd clients/typescript
npm run --silent check
npm test --silent
