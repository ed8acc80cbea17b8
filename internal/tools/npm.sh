#!/usr/bin/env bash
# Gets what clients/typescript and the page of internal/web are made and tested
# with, as their lock files name it. Fails, and says why, where Node 20 or npm is
# missing: Go alone needs neither.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v npm >/dev/null || ! command -v node >/dev/null ||
  ! node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)'; then
  echo 'npm.sh: Node 20 or newer and npm are not here: clients/typescript and internal/web are left as they are, neither generated nor tested' >&2
  exit 1
fi
for folder in clients/typescript internal/web; do
  cd "$folder"
  if [[ package-lock.json -nt node_modules/.package-lock.json ]]; then
    npm ci --silent --no-audit --no-fund
  fi
  cd "$OLDPWD"
done
