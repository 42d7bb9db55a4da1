#!/bin/bash
# Make .tools: the emulator of AWS, its command line, the policy checker and the validators, each in its own environment, as locked.
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in emulator checkov awscli; do
  wanted="tools/$tool/requirements.txt"
  if ! cmp --quiet "$wanted" ".tools/$tool/requirements.txt" 2>/dev/null; then
    echo "Installing what $wanted names into .tools/$tool …"
    .venv/bin/uv venv --quiet --clear --python .venv/bin/python ".tools/$tool"
    UV_LINK_MODE=copy .venv/bin/uv pip install --quiet --python ".tools/$tool/bin/python" --require-hashes -r "$wanted"
    cp "$wanted" ".tools/$tool/requirements.txt"
  fi
done

lock=tools/infrastructure/package-lock.json
if ! cmp --quiet "$lock" .tools/infrastructure/package-lock.json 2>/dev/null; then
  echo "Installing what $lock names into .tools/infrastructure …"
  mkdir -p .tools/infrastructure
  cp tools/infrastructure/package.json .tools/infrastructure/
  cp "$lock" .tools/infrastructure/package-lock.json.new
  (
    cd .tools/infrastructure
    mv package-lock.json.new package-lock.json
    PATH="$PWD/../../.venv/bin:$PATH" npm ci --silent --no-audit --no-fund --no-update-notifier \
      || { rm -f package-lock.json; exit 1; }
  )
fi
