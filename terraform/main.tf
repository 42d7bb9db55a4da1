# The pipeline and Phase 1, each behind its switch. What holds data is in a module of its own: `data_only` keeps that
# and takes the rest away, and nothing in it is destroyed without scripts/destroy.sh --delete-data.

locals {
  layer_zip = var.layer_zip != "" ? var.layer_zip : "${path.root}/../build/layer/scanward-layer-python3.12-${var.architecture}.zip"
  layer_arn = var.layer_arn != "" ? var.layer_arn : one(aws_lambda_layer_version.scanward[*].arn)
}

# One state holds one environment: dev is in the default workspace, every other in the workspace of its name.
resource "terraform_data" "workspace" {
  input = var.environment

  lifecycle {
    precondition {
      condition     = terraform.workspace == (var.environment == "dev" ? "default" : var.environment)
      error_message = "Environment ${var.environment} does not belong to the workspace ${terraform.workspace}; scripts/deploy.sh ${var.environment} chooses the right one."
    }
  }
}

resource "aws_lambda_layer_version" "scanward" {
  count = var.layer_arn == "" && !var.data_only ? 1 : 0

  layer_name               = "${var.project_name}-layer${var.function_suffix}"
  description              = "scanward for Python 3.12 on ${var.architecture}"
  license_info             = "MIT"
  filename                 = local.layer_zip
  source_code_hash         = fileexists(local.layer_zip) ? filebase64sha256(local.layer_zip) : null
  compatible_runtimes      = ["python3.12"]
  compatible_architectures = [var.architecture]

  lifecycle {
    precondition {
      condition     = fileexists(local.layer_zip)
      error_message = "There is no ${local.layer_zip}: run scripts/build_lambda_layer.sh --architecture ${var.architecture}, or set layer_arn."
    }
  }
}

module "names" {
  source = "./modules/names"

  project_name           = var.project_name
  environment            = var.environment
  bucket_suffix          = var.bucket_suffix
  function_suffix        = var.function_suffix
  quarantine_admin_arns  = var.quarantine_admin_arns
  site_secret_admin_arns = var.site_secret_admin_arns
}

module "pipeline_data" {
  source = "./modules/pipeline_data"
  count  = var.enable_pipeline ? 1 : 0

  names                     = module.names.names
  placeholders              = module.names.placeholders
  infrequent_access_days    = var.infrequent_access_days
  glacier_days              = var.glacier_days
  access_log_retention_days = var.access_log_retention_days
  delete_data               = var.delete_data
}

module "pipeline" {
  source = "./modules/pipeline"
  count  = var.enable_pipeline && !var.data_only ? 1 : 0

  environment               = var.environment
  names                     = module.names.names
  placeholders              = module.pipeline_data[0].placeholders
  stores                    = module.pipeline_data[0].stores
  layer_arn                 = local.layer_arn
  architecture              = var.architecture
  profile                   = var.profile
  preserve_tags             = var.preserve_tags
  domain                    = var.domain
  deid_keys                 = var.deid_keys
  execution_timeout_seconds = var.execution_timeout_seconds
  function_timeout_seconds  = var.function_timeout_seconds
  function_memory_mb        = var.function_memory_mb
  starter_concurrency       = var.starter_concurrency
  log_retention_days        = var.log_retention_days
  alarm_email               = var.alarm_email
}

module "phase1_data" {
  source = "./modules/phase1_data"
  count  = var.enable_phase1 ? 1 : 0

  project_name       = var.phase1_project_name
  environment        = var.environment
  datastore_id       = var.phase1_datastore_id
  retention_days     = var.phase1_retention_days
  access_logs_bucket = var.phase1_access_logs_bucket
  delete_data        = var.delete_data
}

module "phase1" {
  source = "./modules/phase1"
  count  = var.enable_phase1 && !var.data_only ? 1 : 0

  project_name          = var.phase1_project_name
  environment           = var.environment
  stores                = module.phase1_data[0].stores
  layer_arn             = local.layer_arn
  architecture          = var.architecture
  api_auth              = var.phase1_api_auth
  jwt_issuer            = var.phase1_jwt_issuer
  jwt_audience          = var.phase1_jwt_audience
  allowed_origins       = var.phase1_allowed_origins
  subnet_ids            = var.phase1_subnet_ids
  security_group_ids    = var.phase1_security_group_ids
  poll_seconds          = var.phase1_poll_seconds
  watch_timeout_seconds = var.phase1_watch_timeout_seconds
  log_retention_days    = var.log_retention_days
  alarm_topic_arn       = var.phase1_alarm_topic_arn
}
