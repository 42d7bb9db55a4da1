variable "names" {
  description = "Name of every resource, from the module names."
  type = object({
    prefix           = string
    raw_bucket       = string
    processed_bucket = string
    logs_bucket      = string
    table            = string
    site_secret      = string
    naming_secret    = string
  })
}

variable "placeholders" {
  description = "What the placeholders of policies/ are, but for keys and secrets."
  type        = map(string)
}

variable "infrequent_access_days" {
  description = "Days after which objects go to STANDARD_IA."
  type        = number
}

variable "glacier_days" {
  description = "Days after which objects go to GLACIER."
  type        = number
}

variable "access_log_retention_days" {
  description = "Days that access logs are kept."
  type        = number
}

variable "delete_data" {
  description = "Let the buckets be deleted with their objects."
  type        = bool
}
