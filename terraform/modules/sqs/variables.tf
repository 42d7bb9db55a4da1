variable "name" {
  description = "Name of the queue."
  type        = string
}

variable "dead_letter_name" {
  description = "Name of its queue of dead letters."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts both."
  type        = string
}

variable "visibility_timeout_seconds" {
  description = "Seconds that a message is hidden once it was received; at least six times its function's timeout."
  type        = number

  validation {
    condition     = var.visibility_timeout_seconds >= 0 && var.visibility_timeout_seconds <= 43200
    error_message = "SQS hides a message for at most 12 hours."
  }
}

variable "message_retention_seconds" {
  description = "Seconds that a message waits."
  type        = number
  default     = 1209600
}

variable "dead_letter_retention_seconds" {
  description = "Seconds that a dead letter is kept."
  type        = number
  default     = 1209600
}

variable "max_receive_count" {
  description = "Receives after which a message is a dead letter."
  type        = number
  default     = 3
}

variable "policy_file" {
  description = "File of the queue's policy, with <<Placeholders>>."
  type        = string
}

variable "dead_letter_policy_file" {
  description = "File of the dead letters' policy, with <<Placeholders>>."
  type        = string
}

variable "values" {
  description = "Value of each placeholder but QueueArn and DeadLetterQueueArn."
  type        = map(string)
}
