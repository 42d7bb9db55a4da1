variable "name" {
  description = "Name of the role."
  type        = string
}

variable "policy_name" {
  description = "Name of its one inline policy."
  type        = string
}

variable "policy_file" {
  description = "File of the policy, with <<Placeholders>>."
  type        = string
}

variable "trust_file" {
  description = "File of the trust policy, with <<Placeholders>>."
  type        = string
}

variable "managed_policy_arns" {
  description = "AWS's own policies that the role has too."
  type        = list(string)
  default     = []
}

variable "values" {
  description = "Value of each placeholder."
  type        = map(string)
}
