# The value is made while applying and handed to Secrets Manager as a write-only argument: neither plan nor state holds it.
# The characters are hex digits, so 64 of them are 256 bits.
ephemeral "random_password" "this" {
  length           = 64
  lower            = false
  upper            = false
  numeric          = false
  special          = true
  override_special = "0123456789abcdef"
}

resource "aws_secretsmanager_secret" "this" {
  name                    = var.name
  description             = var.description
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_in_days

  # A lost secret cannot be made again; scripts/destroy.sh --delete-data overrides this.
  lifecycle {
    prevent_destroy = true
  }
}

# The version's number never changes, so the secret is written once and never replaced.
resource "aws_secretsmanager_secret_version" "this" {
  secret_id                = aws_secretsmanager_secret.this.id
  secret_string_wo         = ephemeral.random_password.this.result
  secret_string_wo_version = 1

  lifecycle {
    prevent_destroy = true
  }
}
