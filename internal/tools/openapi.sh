#!/usr/bin/env bash
# Makes openapi/rest.yaml and connect.yaml of proto/, where that or what makes them
# has changed: the plugin takes minutes to compile, which CI is spared so. What they
# were made of, and they themselves, are kept as hashes in openapi/inputs.sha256.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=internal/tools/openapi
hashes() {
  find proto "$folder" -type f ! -name inputs.sha256 -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
  sha256sum buf.yaml internal/tools/openapi.sh internal/tools/protos/go.mod
}

[[ -f $folder/inputs.sha256 && $(hashes) == "$(<"$folder/inputs.sha256")" ]] && exit
internal/tools/tool.sh buf generate --template "$folder/buf.gen.yaml"
hashes >"$folder/inputs.sha256"
