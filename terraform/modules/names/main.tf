# Every name of the pipeline, and what the placeholders of policies/ are wherever a name decides it: policies stand before
# the resources that they speak of, so nothing goes in circles.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  prefix     = "${var.project_name}-${var.environment}"
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.region
  account_id = data.aws_caller_identity.current.account_id
  regional   = "${local.region}:${local.account_id}"

  functions = toset(["ingestion", "validation", "deidentification", "quarantine", "starter", "recorder"])

  names = {
    prefix           = local.prefix
    raw_bucket       = "${local.prefix}-raw-dicom${var.bucket_suffix}"
    processed_bucket = "${local.prefix}-processed-dicom${var.bucket_suffix}"
    logs_bucket      = "${local.prefix}-logs${var.bucket_suffix}"
    queue            = "${local.prefix}-events"
    dead_letters     = "${local.prefix}-dead-letters"
    topic            = "${local.prefix}-alerts"
    table            = "${local.prefix}-executions"
    site_secret      = "${local.prefix}/site-secret"
    naming_secret    = "${local.prefix}/naming-key"
    processing       = "dicom-processing-workflow-${var.environment}${var.function_suffix}"
    backfill         = "dicom-backfill-workflow-${var.environment}${var.function_suffix}"
    processing_logs  = "/aws/stepfunctions/dicom-processing-workflow${var.function_suffix}"
    backfill_logs    = "/aws/stepfunctions/dicom-backfill-workflow${var.function_suffix}"
    processing_role  = "${local.prefix}-processing${var.function_suffix}"
    backfill_role    = "${local.prefix}-backfill${var.function_suffix}"
    functions        = { for name in local.functions : name => "${var.project_name}-${name}${var.function_suffix}" }
    roles            = { for name in local.functions : name => "${local.prefix}-${name}${var.function_suffix}" }
  }

  role_arns = { for name, role in local.names.roles : name => "arn:${local.partition}:iam::${local.account_id}:role/${role}" }

  function_arns = {
    for name, function in local.names.functions :
    "${title(name)}FunctionArn" => "arn:${local.partition}:lambda:${local.regional}:function:${function}"
  }

  log_group_arns = {
    for name, function in local.names.functions :
    "${title(name)}LogGroupArn" => "arn:${local.partition}:logs:${local.regional}:log-group:/aws/lambda/${function}"
  }

  placeholders = merge(local.function_arns, local.log_group_arns, {
    ProjectName    = var.project_name
    Environment    = var.environment
    FunctionSuffix = var.function_suffix
    Partition      = local.partition
    Region         = local.region
    AccountId      = local.account_id
    DnsSuffix      = data.aws_partition.current.dns_suffix

    RawBucketArn       = "arn:${local.partition}:s3:::${local.names.raw_bucket}"
    ProcessedBucketArn = "arn:${local.partition}:s3:::${local.names.processed_bucket}"
    LogsBucketArn      = "arn:${local.partition}:s3:::${local.names.logs_bucket}"

    QueueArn           = "arn:${local.partition}:sqs:${local.regional}:${local.names.queue}"
    DeadLetterQueueArn = "arn:${local.partition}:sqs:${local.regional}:${local.names.dead_letters}"
    TopicArn           = "arn:${local.partition}:sns:${local.regional}:${local.names.topic}"
    TableName          = local.names.table
    TableArn           = "arn:${local.partition}:dynamodb:${local.regional}:table/${local.names.table}"

    ProcessingStateMachineArn = "arn:${local.partition}:states:${local.regional}:stateMachine:${local.names.processing}"
    ProcessingExecutionArn    = "arn:${local.partition}:states:${local.regional}:execution:${local.names.processing}"
    BackfillStateMachineArn   = "arn:${local.partition}:states:${local.regional}:stateMachine:${local.names.backfill}"
    BackfillExecutionArn      = "arn:${local.partition}:states:${local.regional}:execution:${local.names.backfill}"

    # Lists: the array's own quotation marks in the policy's file complete them.
    QuarantineKeeperArns = join("\",\"", concat([local.role_arns.quarantine], var.quarantine_admin_arns))
    SiteSecretReaderArns = join("\",\"", concat([local.role_arns.deidentification], var.site_secret_admin_arns))
  })
}
