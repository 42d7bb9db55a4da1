output "upload_url" {
  description = "Address of POST /upload."
  value       = module.api.url
}

output "api_id" {
  description = "Id of the HTTP API."
  value       = module.api.id
}

output "state_machine_arn" {
  description = "State machine that watches imports."
  value       = module.processing.arn
}

output "function_names" {
  description = "Name of each function."
  value       = { for name, function in module.function : name => function.name }
}

output "import_role_arn" {
  description = "Role that HealthImaging reads and writes the bucket with."
  value       = module.import_role.arn
}
