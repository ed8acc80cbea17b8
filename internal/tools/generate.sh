#!/usr/bin/env bash
# Makes gen/ anew, from proto/ and from db/, and of proto/ the reference of the API.
set -euo pipefail
cd "$(dirname "$0")/../.."

internal/tools/protos.sh
internal/tools/tool.sh buf generate
internal/tools/tool.sh sqlc generate
internal/tools/openapi.sh
go run ./internal/tools/reference
