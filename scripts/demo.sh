#!/bin/bash
# `make demo`: every file that pydicom ships, and the folder DIR, through the whole line; then the service.
set -euo pipefail
cd "$(dirname "$0")/.."

# The site's secret never lies in the data folder: who copies the folder must not get the key with it.
export SCANWARD_KEY_FILE="${SCANWARD_KEY_FILE:-$PWD/.demo/site.key}"
mkdir -p .demo

shipped="$(.venv/bin/python -c 'import pathlib, pydicom; print(pathlib.Path(pydicom.__file__).parent / "data")')"
paths=("$shipped/test_files" "$shipped/charset_files")
if [ -n "${DIR:-}" ]; then paths+=("$DIR"); fi

# 1 says that some files were rejected, which real files are; anything beyond is a fault.
.venv/bin/scanward ingest "${paths[@]}" --data .demo/data || [ $? -eq 1 ]
if [ -n "${ONCE:-}" ]; then exit 0; fi

echo
echo "Serving what came out; stop with Ctrl-C. Start over with: rm -r .demo"
exec .venv/bin/scanward serve --data .demo/data
