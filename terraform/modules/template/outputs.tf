output "json" {
  description = "The filled text, read as JSON and written again."
  value       = jsonencode(jsondecode(local.filled))
}
