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

variable "lifecycle_rules" {
  description = "Colder storage classes by age, for earlier versions too; ends of objects, versions and unfinished uploads."
  type = list(object({
    id                         = string
    prefix                     = optional(string)
    expiration_days            = optional(number)
    noncurrent_expiration_days = optional(number)
    abort_multipart_days       = optional(number)
    transitions = optional(list(object({
      days          = number
      storage_class = string
    })), [])
  }))
}

variable "force_destroy" {
  description = "Delete the objects with the bucket; only scripts/destroy.sh --delete-data sets it."
  type        = bool
  default     = false
}
