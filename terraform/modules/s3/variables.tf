variable "name" {
  description = "Name of the bucket."
  type        = string
}

variable "policy_json" {
  description = "The bucket's policy."
  type        = string
}

variable "encryption" {
  description = "How objects are encrypted: aws:kms with kms_key_arn, or AES256."
  type        = string
  default     = "aws:kms"

  validation {
    condition     = contains(["aws:kms", "AES256"], var.encryption)
    error_message = "encryption is aws:kms or AES256."
  }
}

variable "kms_key_arn" {
  description = "Key of aws:kms."
  type        = string
  default     = null
}

variable "access_log_bucket" {
  description = "Bucket that takes this one's access logs; null: none."
  type        = string
  default     = null
}

variable "access_log_prefix" {
  description = "Prefix of the access logs."
  type        = string
  default     = ""
}

variable "rule_id" {
  description = "Name of the lifecycle rule."
  type        = string
  default     = "tiers"
}

variable "transitions" {
  description = "Storage classes by age in days."
  type = list(object({
    days          = number
    storage_class = string
  }))
  default = []
}

variable "noncurrent_transitions" {
  description = "Storage classes of earlier versions by days since they were replaced."
  type = list(object({
    days          = number
    storage_class = string
  }))
  default = []
}

variable "expiration_days" {
  description = "Days after which an object is deleted; null: never."
  type        = number
  default     = null
}

variable "noncurrent_expiration_days" {
  description = "Days after which a replaced version is deleted; null: never."
  type        = number
  default     = null
}

variable "abort_multipart_days" {
  description = "Days after which an unfinished multipart upload is taken away."
  type        = number
  default     = 7
}

variable "force_destroy" {
  description = "Delete the objects with the bucket; only scripts/destroy.sh --delete-data sets it."
  type        = bool
  default     = false
}
