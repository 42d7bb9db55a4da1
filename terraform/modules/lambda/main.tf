data "archive_file" "code" {
  type        = "zip"
  output_path = "${path.root}/.terraform/functions/${var.name}.zip"

  source {
    content  = file(var.source_file)
    filename = "${var.module_name}.py"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
}

resource "aws_lambda_function" "this" {
  function_name    = var.name
  description      = var.description
  role             = var.role_arn
  runtime          = "python3.12"
  architectures    = [var.architecture]
  handler          = "${var.module_name}.lambda_handler"
  filename         = data.archive_file.code.output_path
  source_code_hash = data.archive_file.code.output_base64sha256
  layers           = [var.layer_arn]
  memory_size      = var.memory_mb
  timeout          = var.timeout_seconds

  environment {
    variables = var.environment
  }

  dynamic "vpc_config" {
    for_each = length(var.subnet_ids) == 0 ? [] : [1]
    content {
      subnet_ids         = var.subnet_ids
      security_group_ids = var.security_group_ids
    }
  }

  # Lambda would make the group itself, without retention.
  depends_on = [aws_cloudwatch_log_group.this]
}
