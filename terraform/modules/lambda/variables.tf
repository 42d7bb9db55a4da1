variable "name" {
  description = "Name of the function."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "A function's name has at most 64 letters, digits, - and _."
  }
}

variable "description" {
  description = "What the function does."
  type        = string
}

variable "source_file" {
  description = "The function's one file."
  type        = string
}

variable "module_name" {
  description = "Name that the file is deployed under, without .py."
  type        = string
  default     = "index"
}

variable "role_arn" {
  description = "Role of the function."
  type        = string
}

variable "layer_arn" {
  description = "Layer that holds scanward."
  type        = string
}

variable "architecture" {
  description = "x86_64 or arm64."
  type        = string
}

variable "memory_mb" {
  description = "Memory of the function."
  type        = number
}

variable "timeout_seconds" {
  description = "Seconds that one call may take."
  type        = number
}

variable "environment" {
  description = "The function's settings."
  type        = map(string)
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

variable "subnet_ids" {
  description = "Subnets of a VPC; empty: no VPC."
  type        = list(string)
  default     = []
}

variable "security_group_ids" {
  description = "Security groups in that VPC."
  type        = list(string)
  default     = []
}
