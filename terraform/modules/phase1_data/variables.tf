variable "project_name" {
  description = "Begins every name."
  type        = string
}

variable "environment" {
  description = "Cost tag of the data store."
  type        = string
}

variable "datastore_id" {
  description = "Data store that is there already; empty: one is made."
  type        = string
}

variable "retention_days" {
  description = "Days that the bucket keeps what was uploaded."
  type        = number
}

variable "access_logs_bucket" {
  description = "Bucket that takes the access logs; empty: none."
  type        = string
}

variable "delete_data" {
  description = "Let the bucket be deleted with its objects."
  type        = bool
}
