# Their defaults are what environments/dev/terraform.tfvars says, so that `terraform apply` alone plans no change after it.

variable "region" {
  description = "Region of everything; null: what the AWS CLI is configured with."
  type        = string
  default     = null
}

variable "project_name" {
  description = "Begins every name of the pipeline."
  type        = string
  default     = "medical-imaging-pipeline"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}[a-z0-9]$", var.project_name))
    error_message = "project_name has 3 to 25 lower-case letters, digits and hyphens, as the buckets' names need."
  }
}

variable "environment" {
  description = "dev, prod …; part of the names of buckets, queues and state machines."
  type        = string
  default     = "dev"

  validation {
    condition     = can(regex("^[a-z0-9]{1,8}$", var.environment))
    error_message = "environment has 1 to 8 lower-case letters and digits."
  }
}

variable "bucket_suffix" {
  description = "Ends the buckets' names, such as -4711; bucket names are unique in the world."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(-[a-z0-9-]{0,11}[a-z0-9])?$", var.bucket_suffix))
    error_message = "bucket_suffix is empty, or a hyphen and at most 12 lower-case letters, digits and hyphens."
  }
}

variable "function_suffix" {
  description = "Ends the names of functions, roles and state machines, such as -prod, for a second stack in one account."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(-[a-z0-9]{1,9})?$", var.function_suffix))
    error_message = "function_suffix is empty, or a hyphen and at most 9 lower-case letters and digits."
  }
}

# --- what is deployed ---

variable "enable_pipeline" {
  description = "Deploy the pipeline: buckets, queue, functions, state machines."
  type        = bool
  default     = true
}

variable "enable_phase1" {
  description = "Deploy Phase 1: the upload API and HealthImaging."
  type        = bool
  default     = false
}

variable "data_only" {
  description = "Keep what holds data (buckets, keys, secrets, tables, data store) and take the rest away; destroy.sh sets it."
  type        = bool
  default     = false
}

variable "delete_data" {
  description = "Let buckets be deleted with their objects; destroy.sh --delete-data sets it."
  type        = bool
  default     = false
}

# --- the layer ---

variable "layer_zip" {
  description = "Zip that scripts/build_lambda_layer.sh made; empty: build/layer/scanward-layer-python3.12-ARCHITECTURE.zip."
  type        = string
  default     = ""
}

variable "layer_arn" {
  description = "Layer version that is there already, as --publish prints it; empty: layer_zip is published."
  type        = string
  default     = ""

  validation {
    condition     = var.layer_arn == "" || can(regex("^arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$", var.layer_arn))
    error_message = "layer_arn is the ARN of a layer's version and ends in its number."
  }
}

variable "architecture" {
  description = "Processors of functions and layer: x86_64 or arm64."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture is x86_64 or arm64."
  }
}

# --- de-identification ---

variable "profile" {
  description = "De-identification profile: hipaa-safe-harbor, research, basic or limited-data-set."
  type        = string
  default     = "hipaa-safe-harbor"
}

variable "preserve_tags" {
  description = "Attributes to keep, as keywords or hexadecimal tags."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for tag in var.preserve_tags : can(regex("^([A-Za-z][A-Za-z0-9]*|[0-9A-Fa-f]{8})$", tag))])
    error_message = "preserve_tags are keywords (PatientSex) or eight hex digits (00100040)."
  }
}

variable "domain" {
  description = "Project whose pseudonyms cannot be joined with another's."
  type        = string
  default     = "default"
}

variable "deid_keys" {
  description = "What happens to key segments that hold an identifier: preserve, safe or pseudonymous."
  type        = string
  default     = "safe"

  validation {
    condition     = contains(["preserve", "safe", "pseudonymous"], var.deid_keys)
    error_message = "deid_keys is preserve, safe or pseudonymous."
  }
}

# --- limits ---

variable "execution_timeout_seconds" {
  description = "Seconds after which an execution is TIMED_OUT."
  type        = number
  default     = 300

  validation {
    condition     = var.execution_timeout_seconds >= 60
    error_message = "An execution needs at least 60 seconds."
  }
}

variable "function_timeout_seconds" {
  description = "Seconds that one call of a stage may take."
  type        = number
  default     = 120

  validation {
    condition     = var.function_timeout_seconds >= 10 && var.function_timeout_seconds <= 900
    error_message = "A function runs for 10 to 900 seconds."
  }
}

variable "function_memory_mb" {
  description = "Memory of each function of the pipeline."
  type        = number
  default     = 512

  validation {
    condition     = var.function_memory_mb >= 256 && var.function_memory_mb <= 10240
    error_message = "A function has 256 to 10240 MB."
  }
}

variable "starter_concurrency" {
  description = "How many starters take from the queue at a time."
  type        = number
  default     = 10

  validation {
    condition     = var.starter_concurrency >= 2 && var.starter_concurrency <= 1000
    error_message = "A trigger's concurrency is 2 to 1000."
  }
}

# --- keeping ---

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 7, 14, 30, 60, 90, 180, 365, 731, 1827, 2192, 3653], var.log_retention_days)
    error_message = "CloudWatch keeps logs for 1, 7, 14, 30, 60, 90, 180, 365, 731, 1827, 2192 or 3653 days."
  }
}

variable "access_log_retention_days" {
  description = "Days that access logs of the buckets are kept; six years, as 45 CFR 164.316(b)(2) asks of records."
  type        = number
  default     = 2192

  validation {
    condition     = var.access_log_retention_days >= 1
    error_message = "Access logs are kept for at least a day."
  }
}

variable "infrequent_access_days" {
  description = "Days after which objects go to STANDARD_IA."
  type        = number
  default     = 90

  validation {
    condition     = var.infrequent_access_days >= 30
    error_message = "S3 moves objects to STANDARD_IA after 30 days at the earliest."
  }
}

variable "glacier_days" {
  description = "Days after which objects go to GLACIER."
  type        = number
  default     = 180

  validation {
    condition     = var.glacier_days >= var.infrequent_access_days + 30
    error_message = "Objects stay in STANDARD_IA for 30 days at least before they go to GLACIER."
  }
}

# --- people ---

variable "alarm_email" {
  description = "Address that alarms and failures are told to; empty: nobody."
  type        = string
  default     = ""

  validation {
    condition     = var.alarm_email == "" || can(regex("^[^@ ]+@[^@ ]+$", var.alarm_email))
    error_message = "alarm_email is an address or empty."
  }
}

variable "quarantine_admin_arns" {
  description = "Roles that may read quarantine; * and ? are wildcards."
  type        = list(string)
  default     = []
}

variable "site_secret_admin_arns" {
  description = "Roles that may read the site's secret beside the de-identification function, to back it up."
  type        = list(string)
  default     = []
}

# --- Phase 1 ---

variable "phase1_project_name" {
  description = "Begins every name of Phase 1; one account has each of them once."
  type        = string
  default     = "stroke-detection-ai"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,28}[a-z0-9]$", var.phase1_project_name))
    error_message = "phase1_project_name has 3 to 30 lower-case letters, digits and hyphens."
  }
}

variable "phase1_datastore_id" {
  description = "HealthImaging data store that is there already; empty: one is made."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([0-9a-z]{32})?$", var.phase1_datastore_id))
    error_message = "A data store's id has 32 lower-case letters and digits."
  }
}

variable "phase1_api_auth" {
  description = "Who may POST /upload: AWS_IAM, JWT, or NONE, which is everybody who knows the address."
  type        = string
  default     = "AWS_IAM"

  validation {
    condition     = contains(["AWS_IAM", "JWT", "NONE"], var.phase1_api_auth)
    error_message = "phase1_api_auth is AWS_IAM, JWT or NONE."
  }

  validation {
    condition     = var.phase1_api_auth != "JWT" || (var.phase1_jwt_issuer != "" && length(var.phase1_jwt_audience) > 0)
    error_message = "phase1_api_auth JWT needs phase1_jwt_issuer and phase1_jwt_audience."
  }
}

variable "phase1_jwt_issuer" {
  description = "With JWT, the issuer of the bearer tokens."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(https://.+)?$", var.phase1_jwt_issuer))
    error_message = "An issuer is an https address."
  }
}

variable "phase1_jwt_audience" {
  description = "With JWT, the audiences that tokens may bear."
  type        = list(string)
  default     = []
}

variable "phase1_allowed_origins" {
  description = "Origins of web pages that may call the API (CORS)."
  type        = list(string)
  default     = ["*"]
}

variable "phase1_subnet_ids" {
  description = "Private subnets for the functions; empty: no VPC. They need ways to S3, DynamoDB, Step Functions and HealthImaging."
  type        = list(string)
  default     = []
}

variable "phase1_security_group_ids" {
  description = "Security groups of the functions, with phase1_subnet_ids."
  type        = list(string)
  default     = []
}

variable "phase1_poll_seconds" {
  description = "How long an event of HealthImaging is waited for before the job is asked itself."
  type        = number
  default     = 30

  validation {
    condition     = var.phase1_poll_seconds >= 1 && var.phase1_poll_seconds <= 300
    error_message = "phase1_poll_seconds is 1 to 300."
  }
}

variable "phase1_watch_timeout_seconds" {
  description = "End of a watch that nothing else has ended; the import itself is given up after 12 hours."
  type        = number
  default     = 46800

  validation {
    condition     = var.phase1_watch_timeout_seconds >= 60
    error_message = "A watch needs at least 60 seconds."
  }
}

variable "phase1_retention_days" {
  description = "Days that the bucket keeps what was uploaded; HealthImaging keeps the images."
  type        = number
  default     = 90

  validation {
    condition     = var.phase1_retention_days >= 1
    error_message = "Uploads are kept for at least a day."
  }
}

variable "phase1_access_logs_bucket" {
  description = "Bucket for the access logs of uploads, there already; empty: none."
  type        = string
  default     = ""
}

variable "phase1_alarm_topic_arn" {
  description = "SNS topic that Phase 1's alarms are told to, there already; empty: they are only shown."
  type        = string
  default     = ""
}
