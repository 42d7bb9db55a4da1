#!/bin/bash
# Check what would be deployed on AWS, without AWS: stale templates, lint, state machines, security policies. Nothing is changed.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

templates=()
for template in cloudformation/*.yaml phase1_ingestion/*.yaml; do
  [[ -f $template ]] && templates+=("$template")
done
folders=()
for folder in cloudformation phase1_ingestion terraform; do
  [[ -d $folder ]] && folders+=(--directory "$folder")
done

# Checkov takes as long as all the others together, so it runs beside them.
.tools/checkov/bin/checkov --config-file tools/checkov/config.yaml "${folders[@]}" >"$scratch/checkov" 2>&1 &
checkov=$!

failed=0
python -m scripts.templates --check || failed=1
python -m scripts.phase1_template --check || failed=1
cfn-lint "${templates[@]}" || failed=1
python -m tests.infrastructure.hcl_check || failed=1
python -m scripts.templates --definitions "$scratch/definitions"
.tools/infrastructure/node_modules/.bin/asl-validator --silent --json-path "$scratch"/definitions/*.json ||
  { .tools/infrastructure/node_modules/.bin/asl-validator --json-path "$scratch"/definitions/*.json || failed=1; }
wait "$checkov" || { cat "$scratch/checkov"; failed=1; }
exit "$failed"
