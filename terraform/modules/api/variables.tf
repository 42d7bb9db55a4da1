variable "name" {
  description = "Name of the HTTP API."
  type        = string
}

variable "method" {
  description = "Method of its one route."
  type        = string
}

variable "path" {
  description = "Path of its one route, with its slash."
  type        = string
}

variable "stage" {
  description = "Name of its stage."
  type        = string
}

variable "function_name" {
  description = "Function that answers."
  type        = string
}

variable "function_invoke_arn" {
  description = "ARN that API Gateway calls the function by."
  type        = string
}

variable "authorization" {
  description = "AWS_IAM, JWT or NONE."
  type        = string
}

variable "jwt_issuer" {
  description = "With JWT, the issuer of the bearer tokens."
  type        = string
}

variable "jwt_audience" {
  description = "With JWT, the audiences that tokens may bear."
  type        = list(string)
}

variable "allowed_origins" {
  description = "Origins of web pages that may call the API."
  type        = list(string)
}

variable "access_log_format" {
  description = "What is written of each request: nothing of its body or its caller."
  type        = string
}

variable "log_retention_days" {
  description = "Days that access logs are kept."
  type        = number
}
