output "stores" {
  description = "Names, ids and ARNs of what holds data."
  value = {
    upload_bucket     = module.upload_bucket.name
    upload_bucket_arn = module.upload_bucket.arn
    studies_table     = module.studies_table.name
    studies_table_arn = module.studies_table.arn
    datastore_id      = var.datastore_id != "" ? var.datastore_id : one(module.healthimaging[*].datastore_id)
    datastore_arn     = one(module.healthimaging[*].datastore_arn)
  }
}
