#!/usr/bin/env bash
# Copies the imported .proto files out of their pinned Go modules into
# .cache/proto, which buf.yaml names: no registry of protos is asked.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder_of() { (cd internal/tools/protos && go mod download "$1" && go list -m -f '{{.Dir}}' "$1"); }

validate=$(folder_of github.com/bufbuild/protovalidate)/proto/protovalidate/buf/validate
google=$(folder_of github.com/google/gnostic)/cmd/protoc-gen-openapi/examples/google/api

rm -rf .cache/proto
mkdir -p .cache/proto/buf/validate .cache/proto/google/api
install -m 644 "$validate/validate.proto" .cache/proto/buf/validate/
install -m 644 "$google/annotations.proto" "$google/http.proto" .cache/proto/google/api/
