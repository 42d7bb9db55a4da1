# Common to deploy.sh and destroy.sh, which source it.
# shellcheck shell=bash
set -euo pipefail

terraform_root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
environment=""
scratch=""
# Used by who sources this.
# shellcheck disable=SC2034
plan_file=""
account=""

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 2
}

clean_up() {
  [ -z "$scratch" ] || rm -rf "$scratch"
}

choose_environment() {
  [[ "$1" =~ ^[a-z0-9]+$ ]] || fail "an environment's name has lower-case letters and digits"
  [ -f "$terraform_root/environments/$1/terraform.tfvars" ] \
    || fail "there is no environments/$1/terraform.tfvars; there are: $(cd "$terraform_root/environments" && echo *)"
  cd "$terraform_root"
}

# The value of a variable that stands on one line of the environment's file; empty if it does not stand there.
value_of() {
  sed -n "s/^$1[[:space:]]*=[[:space:]]*\"\{0,1\}\([^\"#]*\)\"\{0,1\}.*/\1/p" "environments/$environment/terraform.tfvars" \
    | sed 's/[[:space:]]*$//'
}

# Versions are compared by their numbers: 1.9 is older than 1.11.
need_tools() {
  local version
  command -v terraform >/dev/null || fail "terraform is not on the PATH; it is needed in version 1.11 or newer"
  command -v aws >/dev/null || fail "the AWS CLI is not on the PATH"
  version="$(terraform version | sed -n '1s/^Terraform v\([0-9]*\.[0-9]*\).*/\1/p')"
  [ -n "$version" ] || fail "terraform version did not answer"
  if [ "${version%%.*}" -lt 1 ] || { [ "${version%%.*}" -eq 1 ] && [ "${version#*.}" -lt 11 ]; }; then
    fail "terraform is $version; 1.11 or newer is needed, which keeps secrets out of its state"
  fi
  account="$(aws sts get-caller-identity --query Account --output text)" \
    || fail "AWS does not know these credentials; run aws configure, or set AWS_PROFILE"
  echo "Environment $environment in account $account."
}

# dev is in the default workspace, so that terraform's own commands mean it; every other in the one of its name.
start_terraform() {
  local workspace="$environment"
  [ "$environment" != dev ] || workspace=default
  scratch="$(mktemp -d)"
  # shellcheck disable=SC2034
  plan_file="$scratch/plan"
  trap clean_up EXIT
  terraform init -input=false
  terraform workspace select -or-create "$workspace"
}

agree() {
  local answer
  printf '%s Type yes: ' "$1"
  read -r answer || answer=""
  [ "$answer" = yes ] || fail "nothing was changed"
}
