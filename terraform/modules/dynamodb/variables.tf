variable "name" {
  description = "Name of the table."
  type        = string
}

variable "hash_key" {
  description = "Its key."
  type        = string
}

variable "attributes" {
  description = "Type (S, N or B) of each attribute that a key or an index names."
  type        = map(string)
}

variable "indexes" {
  description = "Its global secondary indexes by name."
  type = map(object({
    hash_key  = string
    range_key = string
  }))
  default = {}
}

variable "kms_key_arn" {
  description = "Key that encrypts the table; null: the key that AWS manages in this account."
  type        = string
  default     = null
}
