variable "name" {
  description = "Name of the state machine."
  type        = string
}

variable "definition_file" {
  description = "File of its definition, with placeholders."
  type        = string
}

variable "substitutions" {
  description = "Value of each placeholder."
  type        = map(string)
}

variable "role_arn" {
  description = "Role of the state machine."
  type        = string
}

variable "log_group_name" {
  description = "Its log group."
  type        = string
}

variable "log_level" {
  description = "What is logged: ALL, ERROR or FATAL."
  type        = string
  default     = "ERROR"

  validation {
    condition     = contains(["ALL", "ERROR", "FATAL"], var.log_level)
    error_message = "log_level is ALL, ERROR or FATAL."
  }
}

variable "log_retention_days" {
  description = "Days that its logs are kept."
  type        = number
}

variable "log_kms_key_arn" {
  description = "Key of its log group; null: CloudWatch's own."
  type        = string
  default     = null
}

variable "encrypted" {
  description = "Whether definition and executions are encrypted with kms_key_arn."
  type        = bool
  default     = true
}

variable "kms_key_arn" {
  description = "Key of definition and executions."
  type        = string
  default     = null
}
