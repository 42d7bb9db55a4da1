variable "name" {
  description = "Name of the topic."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts its messages."
  type        = string
}

variable "email" {
  description = "Address that is told; empty: none."
  type        = string
  default     = ""
}

variable "policy_file" {
  description = "File of the topic's policy, with <<Placeholders>>."
  type        = string
}

variable "values" {
  description = "Value of each placeholder but TopicArn."
  type        = map(string)
}
