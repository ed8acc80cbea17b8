#!/usr/bin/env bash
# Makes gen/ anew, from proto/ and from db/, and of proto/ the reference of the API
# and, where npm is here, the TypeScript client's src/gen and the page's dist/.
set -euo pipefail
cd "$(dirname "$0")/../.."

internal/tools/protos.sh
internal/tools/tool.sh buf generate
internal/tools/tool.sh sqlc generate
internal/tools/openapi.sh
go run ./internal/tools/reference
if internal/tools/npm.sh; then
  internal/tools/tool.sh buf generate --template clients/typescript/buf.gen.yaml
  npm run --silent --prefix internal/web build
fi
