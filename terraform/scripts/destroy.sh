#!/bin/bash
# Take an environment away. What holds data stays, unless that is told twice: by --delete-data and by typing its name.
set -euo pipefail

usage() {
  cat <<'HELP'
Usage: terraform/scripts/destroy.sh [ENVIRONMENT] [OPTIONS]

ENVIRONMENT is a folder of terraform/environments, such as prod; dev if none is named.
Takes functions, state machines, queues, topic and alarms away. Buckets, keys, secrets, tables and the HealthImaging data
store stay, in AWS and in Terraform's state: deploy.sh puts everything else back around them.

  --yes           do so without asking
  --delete-data   delete what holds data too, every object and every version; asks for the name, --yes or not
HELP
}

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=terraform/scripts/common.sh
source "$here/common.sh"

# What is protected by prevent_destroy, as FOLDER:TYPE:NAME. An override file is Terraform's own way to take that off.
protected=(
  dynamodb:aws_dynamodb_table:this
  healthimaging:aws_cloudcontrolapi_resource:datastore
  kms:aws_kms_key:this
  s3:aws_s3_bucket:this
  secrets:aws_secretsmanager_secret:this
  secrets:aws_secretsmanager_secret_version:this
)

override_files() {
  local each
  for each in "${protected[@]}"; do
    echo "modules/${each%%:*}/delete_data_override.tf"
  done | sort --unique
}

put_protection_back() {
  local each
  for each in $(override_files); do
    rm -f "$terraform_root/$each"
  done
}

take_protection_off() {
  local each folder type name
  trap 'put_protection_back; clean_up' EXIT
  for each in "${protected[@]}"; do
    IFS=: read -r folder type name <<<"$each"
    printf 'resource "%s" "%s" {\n  lifecycle {\n    prevent_destroy = false\n  }\n}\n' "$type" "$name" \
      >>"modules/$folder/delete_data_override.tf"
  done
}

yes=""
delete_data=""
while [ $# -gt 0 ]; do
  case "$1" in
    --yes) yes=yes ;;
    --delete-data) delete_data=yes ;;
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
project="$(value_of project_name)"
name="${project:-medical-imaging-pipeline}-$environment"
variables=(-var-file="environments/$environment/terraform.tfvars" -var="data_only=true")

if [ -n "$delete_data" ]; then
  echo "This deletes every scan, raw and de-identified, the site's secret, and all keys of $name in account $account."
  echo "Without the site's secret no pseudonym can be made again."
  printf 'Type %s to delete all of it: ' "$name"
  read -r typed || typed=""
  [ "$typed" = "$name" ] || fail "nothing was deleted"
  variables+=(-var="delete_data=true")
fi

start_terraform
# A run that was killed may have left them.
put_protection_back
# First what holds no data; with --delete-data this also tells the buckets that they may go with their objects.
terraform plan -input=false "${variables[@]}" -out="$plan_file"
[ -n "$yes" ] || agree "Take all of this away from $name in account $account?"
terraform apply -input=false "$plan_file"

if [ -z "$delete_data" ]; then
  echo "What holds data stays: buckets, keys, secrets, tables. They go with --delete-data only."
  exit 0
fi
take_protection_off
terraform destroy -input=false -auto-approve "${variables[@]}"
echo "Keys and secrets can be brought back for 30 days; the objects cannot."
