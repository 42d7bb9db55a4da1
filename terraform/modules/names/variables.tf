variable "project_name" {
  description = "Begins every name."
  type        = string
}

variable "environment" {
  description = "dev, prod …"
  type        = string
}

variable "bucket_suffix" {
  description = "Ends the buckets' names."
  type        = string
}

variable "function_suffix" {
  description = "Ends the names of functions, roles and state machines."
  type        = string
}

variable "quarantine_admin_arns" {
  description = "Roles that may read quarantine."
  type        = list(string)
}

variable "site_secret_admin_arns" {
  description = "Roles that may read the site's secret."
  type        = list(string)
}
