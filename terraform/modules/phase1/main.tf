# What works: the upload API, its two functions, the state machine that watches imports, alarms.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  repository = "${path.module}/../../.."
  partition  = data.aws_partition.current.partition
  account_id = data.aws_caller_identity.current.account_id
  region     = data.aws_region.current.region
  regional   = "${local.region}:${local.account_id}"
  in_vpc     = length(var.subnet_ids) > 0

  datastore_arn = coalesce(
    var.stores.datastore_arn,
    "arn:${local.partition}:medical-imaging:${local.regional}:datastore/${var.stores.datastore_id}",
  )

  functions = {
    upload-handler = {
      module      = "lambda_upload_handler"
      description = "Takes an upload into HealthImaging."
      policy      = "phase1_upload_handler"
      memory      = 512
      timeout     = 29
      environment = {
        SCANWARD_PHASE1_IMPORT_ROLE_ARN   = module.import_role.arn
        SCANWARD_PHASE1_STATE_MACHINE_ARN = local.placeholders.Phase1StateMachineArn
      }
    }
    import-monitor = {
      module      = "lambda_import_monitor"
      description = "Looks at an import of HealthImaging, writes its row and wakes its watch."
      policy      = "phase1_import_monitor"
      memory      = 256
      timeout     = 30
      environment = {}
    }
  }

  placeholders = {
    ProjectName              = var.project_name
    Environment              = var.environment
    Partition                = local.partition
    Region                   = local.region
    AccountId                = local.account_id
    UploadBucketArn          = var.stores.upload_bucket_arn
    StudiesTableArn          = var.stores.studies_table_arn
    DatastoreArns            = local.datastore_arn
    ImportRoleArn            = "arn:${local.partition}:iam::${local.account_id}:role/${var.project_name}-healthimaging-import"
    ImportMonitorFunctionArn = "arn:${local.partition}:lambda:${local.regional}:function:${var.project_name}-import-monitor"
    UploadHandlerLogGroupArn = "arn:${local.partition}:logs:${local.regional}:log-group:/aws/lambda/${var.project_name}-upload-handler"
    ImportMonitorLogGroupArn = "arn:${local.partition}:logs:${local.regional}:log-group:/aws/lambda/${var.project_name}-import-monitor"
    Phase1StateMachineArn    = "arn:${local.partition}:states:${local.regional}:stateMachine:${var.project_name}-processing"
  }
}

module "import_role" {
  source = "../iam"

  name        = "${var.project_name}-healthimaging-import"
  policy_name = "import"
  policy_file = "${local.repository}/policies/phase1_import.json"
  trust_file  = "${local.repository}/policies/phase1_trust_healthimaging.json"
  values      = local.placeholders
}

module "function_role" {
  source   = "../iam"
  for_each = { for name, function in local.functions : name => function.policy }

  name        = "${var.project_name}-${each.key}"
  policy_name = each.key
  policy_file = "${local.repository}/policies/${each.value}.json"
  trust_file  = "${local.repository}/policies/trust_lambda.json"
  values      = local.placeholders

  managed_policy_arns = (
    local.in_vpc
    ? ["arn:${local.partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"]
    : []
  )
}

module "function" {
  source   = "../lambda"
  for_each = local.functions

  name               = "${var.project_name}-${each.key}"
  description        = each.value.description
  source_file        = "${local.repository}/phase1_ingestion/${each.value.module}.py"
  module_name        = each.value.module
  role_arn           = module.function_role[each.key].arn
  layer_arn          = var.layer_arn
  architecture       = var.architecture
  memory_mb          = each.value.memory
  timeout_seconds    = each.value.timeout
  log_retention_days = var.log_retention_days
  subnet_ids         = var.subnet_ids
  security_group_ids = var.security_group_ids

  environment = merge(each.value.environment, {
    POWERTOOLS_METRICS_NAMESPACE  = "MedicalImaging/Pipeline"
    POWERTOOLS_SERVICE_NAME       = each.key
    SCANWARD_AWS_ENVIRONMENT      = var.environment
    SCANWARD_PHASE1_UPLOAD_BUCKET = var.stores.upload_bucket
    SCANWARD_PHASE1_STUDIES_TABLE = var.stores.studies_table
    SCANWARD_PHASE1_DATASTORE_ID  = var.stores.datastore_id
  })
}

module "processing_role" {
  source = "../iam"

  name        = "${var.project_name}-processing"
  policy_name = "processing"
  policy_file = "${local.repository}/policies/phase1_processing.json"
  trust_file  = "${local.repository}/policies/trust_states.json"
  values      = local.placeholders
}

module "processing" {
  source = "../step_functions"

  name               = "${var.project_name}-processing"
  definition_file    = "${local.repository}/state_machines/import_monitor_workflow.json"
  role_arn           = module.processing_role.arn
  log_group_name     = "/aws/states/${var.project_name}-processing"
  log_level          = "ALL"
  log_retention_days = var.log_retention_days
  encrypted          = false

  substitutions = {
    ImportMonitorFunctionArn = module.function["import-monitor"].arn
    PollSeconds              = tostring(var.poll_seconds)
    WatchTimeoutSeconds      = tostring(var.watch_timeout_seconds)
  }
}

module "api" {
  source = "../api"

  name                = "${var.project_name}-api"
  method              = "POST"
  path                = "/upload"
  stage               = "prod"
  function_name       = module.function["upload-handler"].name
  function_invoke_arn = module.function["upload-handler"].invoke_arn
  authorization       = var.api_auth
  jwt_issuer          = var.jwt_issuer
  jwt_audience        = var.jwt_audience
  allowed_origins     = var.allowed_origins
  log_retention_days  = var.log_retention_days

  access_log_format = jsonencode({
    request = "$context.requestId"
    time    = "$context.requestTime"
    route   = "$context.routeKey"
    status  = "$context.status"
    ms      = "$context.responseLatency"
    error   = "$context.error.responseType"
  })
}

# --- triggers ---

resource "aws_cloudwatch_event_rule" "import_ended" {
  name        = "${var.project_name}-import-ended"
  description = "The end of an import goes to the monitor; should an event be lost, the watch polls."

  event_pattern = jsonencode({
    source      = ["aws.medical-imaging"]
    detail-type = ["Import Job Completed", "Import Job Failed"]
    detail = {
      datastoreId = [var.stores.datastore_id]
    }
  })
}

resource "aws_cloudwatch_event_target" "import_monitor" {
  rule      = aws_cloudwatch_event_rule.import_ended.name
  target_id = "import-monitor"
  arn       = module.function["import-monitor"].arn

  depends_on = [aws_lambda_permission.import_monitor]
}

resource "aws_lambda_permission" "import_monitor" {
  action         = "lambda:InvokeFunction"
  function_name  = module.function["import-monitor"].name
  principal      = "events.amazonaws.com"
  source_account = local.account_id
  source_arn     = aws_cloudwatch_event_rule.import_ended.arn
}

# --- watching ---

module "dashboard" {
  source = "../template"

  text   = file("${local.repository}/cloudformation/src/phase1_dashboard.json")
  values = merge(local.placeholders, { UploadApi = module.api.id })
}

module "monitoring" {
  source = "../monitoring"

  prefix         = var.project_name
  topic_arns     = var.alarm_topic_arn == "" ? [] : [var.alarm_topic_arn]
  dashboard_name = var.project_name
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
    },
    {
      table-throttled = {
        namespace   = "AWS/DynamoDB"
        metric_name = "ThrottledRequests"
        dimensions  = { TableName = var.stores.studies_table, Operation = "PutItem" }
      }
    },
    {
      api-errors = {
        namespace   = "AWS/ApiGateway"
        metric_name = "5xx"
        dimensions  = { ApiId = module.api.id }
      }
    },
  )
}
