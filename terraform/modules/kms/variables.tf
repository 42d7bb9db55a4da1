variable "name" {
  description = "Name of the alias, without alias/."
  type        = string
}

variable "description" {
  description = "What the key encrypts."
  type        = string
}

variable "policy_json" {
  description = "The key's policy."
  type        = string
}

variable "deletion_window_in_days" {
  description = "Days that a deleted key can still be brought back."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_window_in_days >= 7 && var.deletion_window_in_days <= 30
    error_message = "KMS keeps a deleted key for 7 to 30 days."
  }
}
