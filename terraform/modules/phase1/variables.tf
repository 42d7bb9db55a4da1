variable "project_name" {
  description = "Begins every name."
  type        = string
}

variable "environment" {
  description = "Dimension of the functions' metrics."
  type        = string
}

variable "stores" {
  description = "What holds data, from the module phase1_data."
  type = object({
    upload_bucket     = string
    upload_bucket_arn = string
    studies_table     = string
    studies_table_arn = string
    datastore_id      = string
    datastore_arn     = string
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

variable "api_auth" {
  description = "Who may POST /upload: AWS_IAM, JWT or NONE."
  type        = string
}

variable "jwt_issuer" {
  description = "With JWT, the issuer of the bearer tokens."
  type        = string
}

variable "jwt_audience" {
  description = "With JWT, the audiences that tokens may bear."
  type        = list(string)
}

variable "allowed_origins" {
  description = "Origins of web pages that may call the API."
  type        = list(string)
}

variable "subnet_ids" {
  description = "Private subnets of the functions; empty: no VPC."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Security groups of the functions, with subnet_ids."
  type        = list(string)
}

variable "poll_seconds" {
  description = "How long an event of HealthImaging is waited for before the job is asked itself."
  type        = number
}

variable "watch_timeout_seconds" {
  description = "End of a watch that nothing else has ended."
  type        = number
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
}

variable "alarm_topic_arn" {
  description = "Topic that alarms are told to; empty: they are only shown."
  type        = string
}
