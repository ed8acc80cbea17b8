#!/usr/bin/env bash
# Every check that runs no code of ours, the quickest first.
set -euo pipefail
cd "$(dirname "$0")/../.."
tool=internal/tools/tool.sh

[[ -d .cache/proto ]] || internal/tools/protos.sh
$tool buf lint
$tool buf format proto --diff --exit-code
internal/tools/breaking.sh
$tool sqlc diff
$tool golangci-lint run
