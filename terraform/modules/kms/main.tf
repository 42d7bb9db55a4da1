resource "aws_kms_key" "this" {
  description             = var.description
  policy                  = var.policy_json
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_window_in_days

  # Without its key the data is lost, so `terraform destroy` stops here; scripts/destroy.sh --delete-data overrides it.
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}
