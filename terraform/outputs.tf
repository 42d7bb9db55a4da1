output "raw_bucket_name" {
  description = "Bucket that scans are uploaded to."
  value       = one(module.pipeline_data[*].stores.raw_bucket)
}

output "processed_bucket_name" {
  description = "Bucket of de-identified objects."
  value       = one(module.pipeline_data[*].stores.processed_bucket)
}

output "logs_bucket_name" {
  description = "Bucket of access logs."
  value       = one(module.pipeline_data[*].stores.logs_bucket)
}

output "state_machine_arn" {
  description = "State machine that takes an object from raw to processed."
  value       = one(module.pipeline[*].state_machine_arn)
}

output "backfill_state_machine_arn" {
  description = "State machine that starts executions for a whole bucket."
  value       = one(module.pipeline[*].backfill_state_machine_arn)
}

output "ingestion_function_name" {
  description = "Function of the gate."
  value       = one(module.pipeline[*].function_names.ingestion)
}

output "validation_function_name" {
  description = "Function of the rules."
  value       = one(module.pipeline[*].function_names.validation)
}

output "deidentification_function_name" {
  description = "Function that takes the patient out."
  value       = one(module.pipeline[*].function_names.deidentification)
}

output "quarantine_function_name" {
  description = "Function that keeps what must not be delivered."
  value       = one(module.pipeline[*].function_names.quarantine)
}

output "starter_function_name" {
  description = "Function that starts executions; it may be invoked by hand."
  value       = one(module.pipeline[*].function_names.starter)
}

output "recorder_function_name" {
  description = "Function that writes down how executions ended."
  value       = one(module.pipeline[*].function_names.recorder)
}

output "queue_url" {
  description = "Queue of the raw bucket's events."
  value       = one(module.pipeline[*].queue_url)
}

output "dead_letter_queue_url" {
  description = "Queue of events that failed three times."
  value       = one(module.pipeline[*].dead_letter_queue_url)
}

output "executions_table_name" {
  description = "Table of executions."
  value       = one(module.pipeline_data[*].stores.table)
}

output "alerts_topic_arn" {
  description = "Topic of alarms and failures."
  value       = one(module.pipeline[*].topic_arn)
}

output "site_secret_arn" {
  description = "Secret that pseudonyms are made from; back it up."
  value       = one(module.pipeline_data[*].stores.site_secret_arn)
}

output "naming_secret_arn" {
  description = "Secret that executions are named with."
  value       = one(module.pipeline_data[*].stores.naming_secret_arn)
}

output "raw_key_arn" {
  description = "Key of the raw bucket."
  value       = one(module.pipeline_data[*].stores.raw_key_arn)
}

output "processed_key_arn" {
  description = "Key of the processed bucket."
  value       = one(module.pipeline_data[*].stores.processed_key_arn)
}

output "layer_arn" {
  description = "Layer version of the functions."
  value       = local.layer_arn
}

output "phase1_upload_url" {
  description = "Address of POST /upload."
  value       = one(module.phase1[*].upload_url)
}

output "phase1_api_id" {
  description = "Id of the HTTP API."
  value       = one(module.phase1[*].api_id)
}

output "phase1_upload_bucket_name" {
  description = "Bucket of uploads."
  value       = one(module.phase1_data[*].stores.upload_bucket)
}

output "phase1_study_metadata_table_name" {
  description = "Table of studies."
  value       = one(module.phase1_data[*].stores.studies_table)
}

output "phase1_datastore_id" {
  description = "HealthImaging data store."
  value       = one(module.phase1_data[*].stores.datastore_id)
}

output "phase1_state_machine_arn" {
  description = "State machine that watches imports."
  value       = one(module.phase1[*].state_machine_arn)
}

output "phase1_upload_handler_function_name" {
  description = "Function behind POST /upload."
  value       = one(module.phase1[*].function_names.upload-handler)
}

output "phase1_import_monitor_function_name" {
  description = "Function that looks at imports."
  value       = one(module.phase1[*].function_names.import-monitor)
}

output "phase1_import_role_arn" {
  description = "Role that HealthImaging reads and writes the bucket with."
  value       = one(module.phase1[*].import_role_arn)
}
