variable "name" {
  description = "Name of the data store."
  type        = string
}

variable "tags" {
  description = "Its tags; the provider's default tags do not reach it."
  type        = map(string)
}
