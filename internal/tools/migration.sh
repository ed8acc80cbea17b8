#!/usr/bin/env bash
# migration.sh NAME: makes db/migrations/NNNNN_NAME.sql with the next number.
set -euo pipefail
cd "$(dirname "$0")/../../db/migrations"

name=${1:-}
if [[ ! $name =~ ^[a-z][a-z0-9_]*$ ]]; then
  echo 'usage: task db:new -- add_location (small letters, digits and _)' >&2
  exit 2
fi
last=$(printf '%s\n' *.sql | sort | tail -n 1)
file=$(printf '%05d_%s.sql' $((10#${last%%_*} + 1)) "$name")
cat >"$file" <<SQL
-- +goose Up

-- +goose Down
SQL
echo "db/migrations/$file"
