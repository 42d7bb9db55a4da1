#!/bin/bash
# Deploy an environment: build the layer, plan, ask, apply.
set -euo pipefail

usage() {
  cat <<'HELP'
Usage: terraform/scripts/deploy.sh [ENVIRONMENT] [OPTIONS]

ENVIRONMENT is a folder of terraform/environments, such as prod; dev if none is named.

  --yes             apply without asking
  --plan            stop after the plan
  --layer-arn ARN   take this layer version instead of building one
HELP
}

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=terraform/scripts/common.sh
source "$here/common.sh"

yes=""
plan_only=""
layer_arn=""
while [ $# -gt 0 ]; do
  case "$1" in
    --yes) yes=yes ;;
    --plan) plan_only=yes ;;
    --layer-arn)
      [ $# -ge 2 ] || fail "--layer-arn needs a value"
      layer_arn="$2"
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    -*)
      usage >&2
      fail "unknown option $1"
      ;;
    *)
      [ -z "$environment" ] || fail "one environment at a time"
      environment="$1"
      ;;
  esac
  shift
done

environment="${environment:-dev}"
choose_environment "$environment"
need_tools
[ "$(value_of bucket_suffix)" != "-change-me" ] \
  || fail "choose a bucket_suffix of your own in environments/$environment/terraform.tfvars first"
[ -n "$layer_arn" ] || layer_arn="$(value_of layer_arn)"

variables=(-var-file="environments/$environment/terraform.tfvars")
if [ -n "$layer_arn" ]; then
  variables+=(-var="layer_arn=$layer_arn")
elif [ -z "$(value_of layer_zip)" ]; then
  architecture="$(value_of architecture)"
  "$here/build_lambda_layer.sh" --architecture "${architecture:-x86_64}"
fi

start_terraform
terraform plan -input=false "${variables[@]}" -out="$plan_file"
[ -z "$plan_only" ] || exit 0
[ -n "$yes" ] || agree "Apply this plan for $environment to account $account?"
terraform apply -input=false "$plan_file"
terraform output
