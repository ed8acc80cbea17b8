#!/usr/bin/env bash
# Makes gen/ anew, from proto/ and from db/, and the TypeScript client's
# src/gen, where npm is here.
set -euo pipefail
cd "$(dirname "$0")/../.."

internal/tools/protos.sh
internal/tools/tool.sh buf generate
internal/tools/tool.sh sqlc generate
if internal/tools/npm.sh; then
  internal/tools/tool.sh buf generate --template clients/typescript/buf.gen.yaml
fi
