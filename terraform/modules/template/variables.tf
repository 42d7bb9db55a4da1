variable "text" {
  description = "The text with placeholders."
  type        = string
}

variable "values" {
  description = "Value of each placeholder; a list is joined with quotation marks and commas by its caller."
  type        = map(string)
}

variable "opening" {
  description = "What a placeholder begins with."
  type        = string
  default     = "<<"
}

variable "closing" {
  description = "What a placeholder ends with."
  type        = string
  default     = ">>"
}
