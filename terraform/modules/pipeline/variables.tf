variable "environment" {
  description = "dev, prod …; the dimension of metrics."
  type        = string
}

variable "names" {
  description = "Name of every resource, from the module names."
  type = object({
    prefix          = string
    queue           = string
    dead_letters    = string
    topic           = string
    processing      = string
    backfill        = string
    processing_logs = string
    backfill_logs   = string
    processing_role = string
    backfill_role   = string
    functions       = map(string)
    roles           = map(string)
  })
}

variable "placeholders" {
  description = "What all placeholders of policies/ are."
  type        = map(string)
}

variable "stores" {
  description = "Names and ARNs of what holds data, from the module pipeline_data."
  type = object({
    raw_bucket        = string
    processed_bucket  = string
    table             = string
    site_secret_arn   = string
    naming_secret_arn = string
    raw_key_arn       = string
    processed_key_arn = string
    events_key_arn    = string
  })
}

variable "layer_arn" {
  description = "Layer version that holds scanward."
  type        = string
}

variable "architecture" {
  description = "x86_64 or arm64."
  type        = string
}

variable "profile" {
  description = "De-identification profile."
  type        = string
}

variable "preserve_tags" {
  description = "Attributes to keep."
  type        = list(string)
}

variable "domain" {
  description = "Project whose pseudonyms cannot be joined with another's."
  type        = string
}

variable "deid_keys" {
  description = "What happens to key segments that hold an identifier."
  type        = string
}

variable "execution_timeout_seconds" {
  description = "Seconds after which an execution is TIMED_OUT."
  type        = number
}

variable "function_timeout_seconds" {
  description = "Seconds that one call of a stage may take."
  type        = number
}

variable "function_memory_mb" {
  description = "Memory of each function."
  type        = number
}

variable "starter_concurrency" {
  description = "How many starters take from the queue at a time."
  type        = number
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
}

variable "alarm_email" {
  description = "Address that alarms and failures are told to; empty: nobody."
  type        = string
}
