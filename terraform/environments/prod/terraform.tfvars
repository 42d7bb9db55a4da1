# Production stands beside dev in one account by its suffixes; the buckets' names must be free in the whole world.
environment               = "prod"
bucket_suffix             = "-change-me"
function_suffix           = "-prod"
log_retention_days        = 2192
execution_timeout_seconds = 300
