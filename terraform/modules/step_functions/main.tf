resource "aws_cloudwatch_log_group" "this" {
  name              = var.log_group_name
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
}

resource "aws_sfn_state_machine" "this" {
  name       = var.name
  role_arn   = var.role_arn
  type       = "STANDARD"
  definition = module.definition.json

  # Inputs and outputs hold raw keys, so they never reach the log.
  logging_configuration {
    level                  = var.log_level
    include_execution_data = false
    log_destination        = "${aws_cloudwatch_log_group.this.arn}:*"
  }

  dynamic "encryption_configuration" {
    for_each = var.encrypted ? [1] : []
    content {
      type                              = "CUSTOMER_MANAGED_KMS_KEY"
      kms_key_id                        = var.kms_key_arn
      kms_data_key_reuse_period_seconds = 300
    }
  }
}

# The file stays JSON because its numbers, which end in Seconds, stand in quotes too; here they lose them. Comments are for
# who reads the file: they go, with whatever looks like a placeholder in them.
locals {
  uncommented = replace(file(var.definition_file), "/\"Comment\": \"(?:[^\"\\\\]|\\\\.)*\",\\s*/", "")
}

module "definition" {
  source  = "../template"
  text    = replace(local.uncommented, "/\"([$][{][A-Za-z]+Seconds[}])\"/", "$1")
  values  = var.substitutions
  opening = "$${"
  closing = "}"
}
