environment               = "dev"
log_retention_days        = 365
execution_timeout_seconds = 300
