output "state_machine_arn" {
  description = "State machine that takes an object from raw to processed."
  value       = module.processing.arn
}

output "backfill_state_machine_arn" {
  description = "State machine that starts executions for a whole bucket."
  value       = module.backfill.arn
}

output "function_names" {
  description = "Name of each function."
  value       = { for name, function in module.function : name => function.name }
}

output "queue_url" {
  description = "Queue of the raw bucket's events."
  value       = module.events.url
}

output "dead_letter_queue_url" {
  description = "Queue of events that failed three times."
  value       = module.events.dead_letter_url
}

output "topic_arn" {
  description = "Topic of alarms and failures."
  value       = module.alerts.arn
}
