#!/bin/bash
# Build the Lambda layer: scanward and the packages that its functions import, as locked, in one zip an architecture.
set -euo pipefail

usage() {
  cat <<'HELP'
Usage: terraform/scripts/build_lambda_layer.sh [OPTIONS]

  --architecture NAME   x86_64 or arm64; may be given twice (default: both; with --publish: x86_64)
  --python VERSION      Python of the functions (default: 3.12)
  --platform NAME       linux: wheels for Lambda (default); native: wheels for this machine, as the emulator needs
  --interpreter PATH    Python of that version that byte-compiles the code (default: python VERSION on the PATH, else .venv's)
  --output FOLDER       where the zips go (default: build/layer)
  --publish             publish the zip as a layer version and write its ARN into the parameter
  --name NAME           the layer's name (default: medical-imaging-pipeline-layer)
  --parameter NAME      SSM parameter of the ARN (default: /medical-imaging-pipeline/layer-arn)
  --lock                only renew layer-requirements.txt from uv.lock
HELP
}

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
here="$root/terraform/scripts"
requirements="$here/layer-requirements.txt"
architectures=()
python_version=3.12
platform=linux
interpreter=""
output="$root/build/layer"
publish=""
layer_name=medical-imaging-pipeline-layer
parameter=/medical-imaging-pipeline/layer-arn

fail() {
  echo "build_lambda_layer.sh: $*" >&2
  exit 2
}

# What scanward asks for and no function imports: the command line, the service of one machine and its database.
lock() {
  local pruned=() package
  for package in alembic fastapi imagecodecs jinja2 numpy pillow prometheus-client python-multipart rich sqlalchemy starlette \
    typer uvicorn; do
    pruned+=(--prune "$package")
  done
  (cd "$root" && "$uv" export --frozen --quiet --no-header --no-annotate --no-dev --extra aws --no-emit-project \
    "${pruned[@]}" --output-file "$1" >/dev/null)
}

# No package is ever built here: a wheel of the wrong machine is refused, and so is one whose hash is not the lock's.
install_wheels() {
  local target="$1" architecture="$2" machine glibc
  machine="${architecture/arm64/aarch64}"
  if [ -n "$uv" ]; then
    local where=()
    [ "$platform" = native ] || where=(--python-platform "$machine-manylinux_2_28")
    "$uv" pip install --quiet --target "$target" --python "$python" --python-version "$python_version" \
      "${where[@]}" --only-binary :all: --no-deps --require-hashes --link-mode copy -r "$requirements"
  else
    local tags=()
    if [ "$platform" = linux ]; then
      for glibc in manylinux2014 manylinux_2_17 manylinux_2_24 manylinux_2_26 manylinux_2_27 manylinux_2_28; do
        tags+=(--platform "${glibc}_$machine")
      done
    fi
    "$python" -m pip install --quiet --disable-pip-version-check --target "$target" --python-version "$python_version" \
      --implementation cp "${tags[@]}" --only-binary :all: --no-deps --no-compile --require-hashes -r "$requirements"
  fi
}

# /opt is read-only in Lambda: without compiled code every cold start would compile all that it imports again.
compiler() {
  local candidate
  for candidate in "$interpreter" "python$python_version" "$root/.venv/bin/python" python3; do
    [ -n "$candidate" ] || continue
    if [ "$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$python_version" ]; then
      command -v "$candidate"
      return
    fi
  done
}

build() {
  local architecture="$1" work zip compile_with
  work="$(mktemp -d)"
  # The folder's name is wanted now, for it is local to this function.
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  zip="$output/scanward-layer-python$python_version-$architecture.zip"
  mkdir -p "$output"
  install_wheels "$work/python" "$architecture"
  "$python" -B "$here/layer.py" tidy "$work/python" "$root"
  compile_with="$(compiler)"
  if [ -n "$compile_with" ]; then
    PYTHONHASHSEED=0 "$compile_with" -m compileall -q -f --invalidation-mode unchecked-hash \
      -s "$work/python" -p /opt/python "$work/python"
  else
    echo "There is no Python $python_version here: the layer goes without compiled code, and cold starts are slower." >&2
  fi
  "$python" -B "$here/layer.py" pack "$work/python" "$zip" \
    --python "$python_version" --architecture "$architecture"
  rm -rf "$work"
  trap - EXIT
}

publish_layer() {
  local architecture="$1" zip arn
  zip="$output/scanward-layer-python$python_version-$architecture.zip"
  arn="$(aws lambda publish-layer-version --layer-name "$layer_name" --zip-file "fileb://$zip" \
    --description "scanward for Python $python_version on $architecture" --license-info MIT \
    --compatible-runtimes "python$python_version" --compatible-architectures "$architecture" \
    --query LayerVersionArn --output text)"
  case "$arn" in
    arn:*) ;;
    *) fail "AWS gave no ARN for the layer" ;;
  esac
  aws ssm put-parameter --name "$parameter" --type String --overwrite --value "$arn" \
    --description "Lambda layer of scanward" >/dev/null
  echo "Published $arn"
  echo "Its ARN stands in the parameter $parameter."
}

while [ $# -gt 0 ]; do
  case "$1" in
    --architecture | --python | --platform | --interpreter | --output | --name | --parameter)
      [ $# -ge 2 ] || fail "$1 needs a value"
      case "$1" in
        --architecture) architectures+=("$2") ;;
        --python) python_version="$2" ;;
        --platform) platform="$2" ;;
        --interpreter) interpreter="$2" ;;
        --output) output="$2" ;;
        --name) layer_name="$2" ;;
        --parameter) parameter="$2" ;;
      esac
      shift 2
      ;;
    --publish)
      publish=yes
      shift
      ;;
    --lock)
      publish=lock
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      fail "unknown option $1"
      ;;
  esac
done

uv=""
[ -x "$root/.venv/bin/uv" ] && uv="$root/.venv/bin/uv"
python="$root/.venv/bin/python"
[ -x "$python" ] || python="$(command -v python3)" || fail "Python 3.11 or newer is needed"

if [ "$publish" = lock ]; then
  [ -n "$uv" ] || fail "--lock needs .venv/bin/uv (make setup)"
  lock "$requirements"
  exit 0
fi

[[ "$python_version" =~ ^3\.[0-9]+$ ]] || fail "--python is a version such as 3.12"
case "$platform" in
  linux) ;;
  native)
    native="$(uname -m)"
    case "$native" in
      x86_64 | amd64) native=x86_64 ;;
      aarch64 | arm64) native=arm64 ;;
      *) fail "no layer is known for $native" ;;
    esac
    architectures=("$native")
    ;;
  *) fail "--platform is linux or native" ;;
esac
if [ "${#architectures[@]}" -eq 0 ]; then
  architectures=(x86_64 arm64)
  [ -z "$publish" ] || architectures=(x86_64)
fi
for architecture in "${architectures[@]}"; do
  case "$architecture" in
    x86_64 | arm64) ;;
    *) fail "--architecture is x86_64 or arm64" ;;
  esac
done
if [ -n "$publish" ]; then
  [ "${#architectures[@]}" -eq 1 ] || fail "--publish takes one architecture: a parameter holds one ARN"
  [ "$platform" = linux ] || fail "only a layer for Lambda (--platform linux) is published"
  command -v aws >/dev/null || fail "--publish needs the AWS CLI"
fi

for architecture in "${architectures[@]}"; do
  build "$architecture"
  [ -z "$publish" ] || publish_layer "$architecture"
done
