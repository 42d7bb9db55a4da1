#!/bin/bash
# Write requirements.txt and requirements-dev.txt from uv.lock, into the folder $1 (the checkout's root by default).
set -euo pipefail
cd "$(dirname "$0")/.."
target="${1:-.}"
export=(.venv/bin/uv export --frozen --quiet --no-hashes --no-header --no-annotate --no-emit-project --all-extras)
"${export[@]}" --no-dev --output-file "$target/requirements.txt" >/dev/null
"${export[@]}" --output-file "$target/requirements-dev.txt" >/dev/null
