#!/usr/bin/env bash
# Fetches RapiDoc, which shows the page at /docs, out of its pinned npm package
# into internal/reference/assets. To be run when the version here is raised.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=9.3.8
sha512=eCYEbr1Xr8OJZvVCw8SXl9zBCRoLJbhNGuG5IZTHq/RWAOq/O4MafUCuFEyZHsrhLrlUcGZMa64pyhpib8fQKQ==
assets=$PWD/internal/reference/assets
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

npm pack --silent "rapidoc@$version" >/dev/null
fetched=$(openssl dgst -sha512 -binary "rapidoc-$version.tgz" | base64 -w0)
[[ $fetched == "$sha512" ]] || { echo "rapidoc.sh: the package has another hash: $fetched" >&2; exit 1; }
tar -xzf "rapidoc-$version.tgz"
cd package
gunzip -c dist/rapidoc-min.js.gz | cmp - dist/rapidoc-min.js
install -m 644 LICENSE.txt dist/rapidoc-min.js.gz dist/rapidoc-min.js.LICENSE.txt "$assets/"
