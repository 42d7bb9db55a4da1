output "placeholders" {
  description = "What all placeholders of policies/ are."
  value       = local.placeholders
}

output "stores" {
  description = "Names and ARNs of what holds data."
  value = {
    raw_bucket        = module.raw_bucket.name
    processed_bucket  = module.processed_bucket.name
    logs_bucket       = module.logs_bucket.name
    table             = module.executions_table.name
    site_secret_arn   = module.site_secret.arn
    naming_secret_arn = module.naming_secret.arn
    raw_key_arn       = module.key["raw"].arn
    processed_key_arn = module.key["processed"].arn
    events_key_arn    = module.key["events"].arn
  }
}
