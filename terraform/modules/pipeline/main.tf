# What works: queue and topic, roles and functions, state machines, triggers, alarms.

locals {
  repository     = "${path.module}/../../.."
  events_key_arn = var.stores.events_key_arn

  # What all functions are told; each is told what it needs beside that.
  functions = {
    ingestion = {
      code        = "ingestion_handler"
      description = "The gate, reads structure and header of one object of raw"
      timeout     = var.function_timeout_seconds
      environment = { SCANWARD_AWS_RAW_BUCKET = var.stores.raw_bucket }
    }
    validation = {
      code        = "validation_handler"
      description = "The site's rules, names every fault at once"
      timeout     = var.function_timeout_seconds
      environment = { SCANWARD_AWS_RAW_BUCKET = var.stores.raw_bucket }
    }
    deidentification = {
      code        = "deidentification_handler"
      description = "Takes the patient out and puts the output into processed"
      timeout     = var.function_timeout_seconds
      environment = {
        SCANWARD_AWS_RAW_BUCKET        = var.stores.raw_bucket
        SCANWARD_AWS_PROCESSED_BUCKET  = var.stores.processed_bucket
        SCANWARD_AWS_PROCESSED_KMS_KEY = var.stores.processed_key_arn
        SCANWARD_AWS_SITE_SECRET_ARN   = var.stores.site_secret_arn
        SCANWARD_AWS_PRESERVE_TAGS     = join(",", var.preserve_tags)
        SCANWARD_DEID_KEYS             = var.deid_keys
        SCANWARD_DOMAIN                = var.domain
        SCANWARD_PROFILE               = var.profile
      }
    }
    quarantine = {
      code        = "quarantine_handler"
      description = "Copies what must not be delivered under quarantine/ with its reason"
      timeout     = var.function_timeout_seconds
      environment = {
        SCANWARD_AWS_RAW_BUCKET  = var.stores.raw_bucket
        SCANWARD_AWS_RAW_KMS_KEY = var.stores.raw_key_arn
      }
    }
    starter = {
      code        = "starter"
      description = "Starts one execution for each new object, once"
      timeout     = 60
      environment = {
        SCANWARD_AWS_RAW_BUCKET        = var.stores.raw_bucket
        SCANWARD_AWS_PROCESSED_BUCKET  = var.stores.processed_bucket
        SCANWARD_AWS_EXECUTIONS_TABLE  = var.stores.table
        SCANWARD_AWS_STATE_MACHINE_ARN = var.placeholders["ProcessingStateMachineArn"]
        SCANWARD_AWS_EXECUTION_SECONDS = tostring(var.execution_timeout_seconds)
        SCANWARD_AWS_NAMING_SECRET_ARN = var.stores.naming_secret_arn
      }
    }
    recorder = {
      code        = "recorder"
      description = "Writes down how an execution ended and tells of failures"
      timeout     = 60
      environment = {
        SCANWARD_AWS_EXECUTIONS_TABLE  = var.stores.table
        SCANWARD_AWS_STATE_MACHINE_ARN = var.placeholders["ProcessingStateMachineArn"]
        SCANWARD_AWS_EXECUTION_SECONDS = tostring(var.execution_timeout_seconds)
        SCANWARD_AWS_TOPIC_ARN         = module.alerts.arn
      }
    }
  }

  substitutions = {
    IngestionFunctionArn        = module.function["ingestion"].arn
    ValidationFunctionArn       = module.function["validation"].arn
    DeidentificationFunctionArn = module.function["deidentification"].arn
    QuarantineFunctionArn       = module.function["quarantine"].arn
    StarterFunctionArn          = module.function["starter"].arn
    ExecutionTimeoutSeconds     = tostring(var.execution_timeout_seconds)
    StateTimeoutSeconds         = tostring(var.function_timeout_seconds)
  }
}

module "events" {
  source = "../sqs"

  name                       = var.names.queue
  dead_letter_name           = var.names.dead_letters
  kms_key_arn                = local.events_key_arn
  visibility_timeout_seconds = 6 * local.functions.starter.timeout
  message_retention_seconds  = 345600
  policy_file                = "${local.repository}/policies/queue_events.json"
  dead_letter_policy_file    = "${local.repository}/policies/queue_dead_letters.json"
  values                     = var.placeholders
}

module "alerts" {
  source = "../sns"

  name        = var.names.topic
  kms_key_arn = local.events_key_arn
  email       = var.alarm_email
  policy_file = "${local.repository}/policies/topic_alerts.json"
  values      = var.placeholders
}

module "function_role" {
  source   = "../iam"
  for_each = local.functions

  name        = var.names.roles[each.key]
  policy_name = each.key
  policy_file = "${local.repository}/policies/${each.key}.json"
  trust_file  = "${local.repository}/policies/trust_lambda.json"
  values      = var.placeholders
}

module "function" {
  source   = "../lambda"
  for_each = local.functions

  name               = var.names.functions[each.key]
  description        = each.value.description
  source_file        = "${local.repository}/lambda_functions/${each.value.code}.py"
  role_arn           = module.function_role[each.key].arn
  layer_arn          = var.layer_arn
  architecture       = var.architecture
  memory_mb          = var.function_memory_mb
  timeout_seconds    = each.value.timeout
  log_retention_days = var.log_retention_days
  log_kms_key_arn    = local.events_key_arn

  environment = merge(each.value.environment, {
    POWERTOOLS_METRICS_NAMESPACE = "MedicalImaging/Pipeline"
    POWERTOOLS_SERVICE_NAME      = each.key
    SCANWARD_AWS_ENVIRONMENT     = var.environment
  })
}

module "processing_role" {
  source = "../iam"

  name        = var.names.processing_role
  policy_name = "processing"
  policy_file = "${local.repository}/policies/processing_workflow.json"
  trust_file  = "${local.repository}/policies/trust_states.json"
  values      = var.placeholders
}

module "processing" {
  source = "../step_functions"

  name               = var.names.processing
  definition_file    = "${local.repository}/state_machines/dicom_processing_workflow.json"
  substitutions      = local.substitutions
  role_arn           = module.processing_role.arn
  log_group_name     = var.names.processing_logs
  log_level          = "ALL"
  log_retention_days = var.log_retention_days
  log_kms_key_arn    = local.events_key_arn
  kms_key_arn        = local.events_key_arn
}

module "backfill_role" {
  source = "../iam"

  name        = var.names.backfill_role
  policy_name = "backfill"
  policy_file = "${local.repository}/policies/backfill_workflow.json"
  trust_file  = "${local.repository}/policies/trust_states.json"
  values      = var.placeholders
}

module "backfill" {
  source = "../step_functions"

  name               = var.names.backfill
  definition_file    = "${local.repository}/state_machines/backfill_workflow.json"
  substitutions      = local.substitutions
  role_arn           = module.backfill_role.arn
  log_group_name     = var.names.backfill_logs
  log_level          = "ALL"
  log_retention_days = var.log_retention_days
  log_kms_key_arn    = local.events_key_arn
  kms_key_arn        = local.events_key_arn
}

# --- triggers ---

resource "aws_s3_bucket_notification" "raw" {
  bucket = var.stores.raw_bucket

  # The queue's ARN comes with its policy: S3 sends a test message at once.
  queue {
    queue_arn = module.events.arn
    events    = ["s3:ObjectCreated:*"]
  }
}

resource "aws_lambda_event_source_mapping" "starter" {
  event_source_arn        = module.events.arn
  function_name           = module.function["starter"].name
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.starter_concurrency
  }
}

resource "aws_cloudwatch_event_rule" "ended" {
  name        = "${var.names.prefix}-ended"
  description = "Final statuses of the processing workflow go to the recorder."

  event_pattern = jsonencode({
    source      = ["aws.states"]
    detail-type = ["Step Functions Execution Status Change"]
    detail = {
      stateMachineArn = [module.processing.arn]
      status          = ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]
    }
  })
}

resource "aws_cloudwatch_event_target" "recorder" {
  rule      = aws_cloudwatch_event_rule.ended.name
  target_id = "recorder"
  arn       = module.function["recorder"].arn

  depends_on = [aws_lambda_permission.recorder]
}

resource "aws_lambda_permission" "recorder" {
  action         = "lambda:InvokeFunction"
  function_name  = module.function["recorder"].name
  principal      = "events.amazonaws.com"
  source_account = var.placeholders["AccountId"]
  source_arn     = aws_cloudwatch_event_rule.ended.arn
}

# --- watching ---

module "dashboard" {
  source = "../template"

  text   = file("${local.repository}/cloudformation/src/dashboard.json")
  values = var.placeholders
}

module "monitoring" {
  source = "../monitoring"

  prefix         = var.names.prefix
  topic_arns     = [module.alerts.arn]
  dashboard_name = var.names.prefix
  dashboard_json = module.dashboard.json

  alarms = merge(
    {
      for name, function in module.function : "${name}-errors" => {
        namespace   = "AWS/Lambda"
        metric_name = "Errors"
        dimensions  = { FunctionName = function.name }
      }
    },
    {
      for name, function in module.function : "${name}-throttles" => {
        namespace   = "AWS/Lambda"
        metric_name = "Throttles"
        dimensions  = { FunctionName = function.name }
      }
    },
    {
      executions-failed = {
        namespace   = "AWS/States"
        metric_name = "ExecutionsFailed"
        dimensions  = { StateMachineArn = module.processing.arn }
      }
      executions-timed-out = {
        namespace   = "AWS/States"
        metric_name = "ExecutionsTimedOut"
        dimensions  = { StateMachineArn = module.processing.arn }
      }
      executions-aborted = {
        namespace   = "AWS/States"
        metric_name = "ExecutionsAborted"
        dimensions  = { StateMachineArn = module.processing.arn }
      }
      backfill-failed = {
        namespace   = "AWS/States"
        metric_name = "ExecutionsFailed"
        dimensions  = { StateMachineArn = module.backfill.arn }
      }
    },
    {
      queue-age = {
        namespace   = "AWS/SQS"
        metric_name = "ApproximateAgeOfOldestMessage"
        dimensions  = { QueueName = module.events.name }
        statistic   = "Maximum"
        threshold   = 900
      }
      dead-letters = {
        namespace   = "AWS/SQS"
        metric_name = "ApproximateNumberOfMessagesVisible"
        dimensions  = { QueueName = module.events.dead_letter_name }
        statistic   = "Maximum"
        threshold   = 1
      }
    },
  )
}
