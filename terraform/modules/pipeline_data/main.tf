# What holds data: keys, secrets, buckets, table. Every one of them is protected against `terraform destroy`.

locals {
  policies = "${path.module}/../../../policies"

  placeholders = merge(var.placeholders, {
    RawKeyArn       = module.key["raw"].arn
    ProcessedKeyArn = module.key["processed"].arn
    EventsKeyArn    = module.key["events"].arn
    SiteKeyArn      = module.key["site"].arn
    SiteSecretArn   = module.site_secret.arn
    NamingSecretArn = module.naming_secret.arn
  })

  keys = {
    raw       = "Raw DICOM objects"
    processed = "De-identified DICOM objects"
    events    = "Queues, table, topic, executions, logs and the naming secret"
    site      = "The site's secret and nothing else"
  }

  tiers = [{
    id                   = "tiers"
    abort_multipart_days = 7
    transitions = [
      { days = var.infrequent_access_days, storage_class = "STANDARD_IA" },
      { days = var.glacier_days, storage_class = "GLACIER" },
    ]
  }]
}

module "key_policy" {
  source   = "../template"
  for_each = local.keys

  text   = file("${local.policies}/key_${each.key}.json")
  values = var.placeholders
}

module "key" {
  source   = "../kms"
  for_each = local.keys

  name        = "${var.names.prefix}-${each.key}"
  description = each.value
  policy_json = module.key_policy[each.key].json
}

module "bucket_policy" {
  source   = "../template"
  for_each = toset(["raw", "processed", "logs"])

  text = file("${local.policies}/bucket_${each.key}.json")
  values = merge(var.placeholders, {
    RawKeyArn       = module.key["raw"].arn
    ProcessedKeyArn = module.key["processed"].arn
  })
}

module "logs_bucket" {
  source = "../s3"

  name          = var.names.logs_bucket
  policy_json   = module.bucket_policy["logs"].json
  encryption    = "AES256"
  force_destroy = var.delete_data

  lifecycle_rules = [{
    id                         = "expire"
    expiration_days            = var.access_log_retention_days
    noncurrent_expiration_days = 1
    abort_multipart_days       = 7
  }]
}

module "raw_bucket" {
  source = "../s3"

  name              = var.names.raw_bucket
  policy_json       = module.bucket_policy["raw"].json
  kms_key_arn       = module.key["raw"].arn
  access_log_bucket = module.logs_bucket.name
  access_log_prefix = "s3/raw/"
  lifecycle_rules   = local.tiers
  force_destroy     = var.delete_data
}

module "processed_bucket" {
  source = "../s3"

  name              = var.names.processed_bucket
  policy_json       = module.bucket_policy["processed"].json
  kms_key_arn       = module.key["processed"].arn
  access_log_bucket = module.logs_bucket.name
  access_log_prefix = "s3/processed/"
  lifecycle_rules   = local.tiers
  force_destroy     = var.delete_data
}

module "executions_table" {
  source = "../dynamodb"

  name        = var.names.table
  hash_key    = "id"
  attributes  = { id = "S", shelf = "S", arrived = "S" }
  kms_key_arn = module.key["events"].arn

  indexes = {
    by-shelf = { hash_key = "shelf", range_key = "arrived" }
  }
}

module "site_secret" {
  source = "../secrets"

  name        = var.names.site_secret
  description = "What pseudonyms are made from. Back it up, without it no pseudonym can be made again."
  kms_key_arn = module.key["site"].arn
}

module "naming_secret" {
  source = "../secrets"

  name        = var.names.naming_secret
  description = "What executions are named with."
  kms_key_arn = module.key["events"].arn
}
