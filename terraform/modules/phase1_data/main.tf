# What holds data: uploads, the studies' records, images. Every one of them is protected against `terraform destroy`.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  partition     = data.aws_partition.current.partition
  upload_bucket = "${var.project_name}-dicom-uploads-${data.aws_caller_identity.current.account_id}"
}

module "bucket_policy" {
  source = "../template"

  text   = file("${path.module}/../../../policies/phase1_bucket.json")
  values = { UploadBucketArn = "arn:${local.partition}:s3:::${local.upload_bucket}" }
}

module "upload_bucket" {
  source = "../s3"

  name              = local.upload_bucket
  policy_json       = module.bucket_policy.json
  encryption        = "AES256"
  access_log_bucket = var.access_logs_bucket == "" ? null : var.access_logs_bucket
  access_log_prefix = "s3/phase1/"
  force_destroy     = var.delete_data

  lifecycle_rules = [
    {
      id                         = "expire"
      expiration_days            = var.retention_days
      noncurrent_expiration_days = 1
      abort_multipart_days       = 7
    },
    {
      id              = "waits"
      prefix          = "import-waits/"
      expiration_days = 2
    },
  ]
}

module "studies_table" {
  source = "../dynamodb"

  name       = "${var.project_name}-study-metadata"
  hash_key   = "study_id"
  attributes = { study_id = "S", patient_id = "S", upload_timestamp = "S" }

  indexes = {
    patient_id-upload_timestamp-index = { hash_key = "patient_id", range_key = "upload_timestamp" }
  }
}

module "healthimaging" {
  source = "../healthimaging"
  count  = var.datastore_id == "" ? 1 : 0

  name = "${var.project_name}-datastore"
  tags = { Project = var.project_name, Environment = var.environment }
}
