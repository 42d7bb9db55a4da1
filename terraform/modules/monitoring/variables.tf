variable "prefix" {
  description = "Begins the alarms' names."
  type        = string
}

variable "alarms" {
  description = "What is watched, by the end of the alarm's name."
  type = map(object({
    namespace   = string
    metric_name = string
    dimensions  = map(string)
    statistic   = optional(string, "Sum")
    threshold   = optional(number, 1)
  }))
}

variable "topic_arns" {
  description = "Topics that are told."
  type        = list(string)
}

variable "dashboard_name" {
  description = "Name of the dashboard; empty: none."
  type        = string
  default     = ""
}

variable "dashboard_json" {
  description = "Body of the dashboard."
  type        = string
  default     = "{}"
}
