output "names" {
  description = "Name of every resource of the pipeline."
  value       = local.names
}

output "placeholders" {
  description = "What the placeholders of policies/ are, but for keys and secrets, whose ARNs no name decides."
  value       = local.placeholders
}
