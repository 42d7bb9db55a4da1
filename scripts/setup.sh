#!/bin/bash
# Make the environment $1 with exactly what uv.lock names. Needs Python 3.11 or newer, nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
environment="${1:-.venv}"

newest_python() {
  # A name may stand for an interpreter that does not start (a version manager's shim), so each is asked.
  local name
  for name in python3.13 python3.12 python3.11 python3 /usr/bin/python3; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  echo "Scanward needs Python 3.11 or newer, and none was found. On Debian: apt-get install python3" >&2
  return 1
}

need_venv() {
  local python="$1" package
  if "$python" -c 'import ensurepip, venv' 2>/dev/null; then return; fi
  package="$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
  scripts/debian_packages.sh "$package"
  "$python" -c 'import ensurepip, venv' 2>/dev/null && return
  echo "$python cannot make environments: its package $package is missing." >&2
  return 1
}

if ! "$environment/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  python="$(newest_python)"
  need_venv "$python"
  echo "Making $environment with $python …"
  "$python" -m venv --clear "$environment"
fi

# uv is a locked dependency like the others; pip only brings it in, at the locked version.
uv="$(grep -m1 '^uv==' requirements-dev.txt | cut -d' ' -f1)"
if [ "$("$environment/bin/uv" --version 2>/dev/null | cut -d' ' -f2)" != "${uv#uv==}" ]; then
  "$environment/bin/python" -m ensurepip --upgrade >/dev/null
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check "$uv"
fi

echo "Installing what uv.lock names into $environment …"
UV_PROJECT_ENVIRONMENT="$environment" UV_LINK_MODE=copy "$environment/bin/uv" sync --frozen --all-extras --quiet \
  --no-python-downloads
