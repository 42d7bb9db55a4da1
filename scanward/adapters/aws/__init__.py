"""Ports on AWS by boto3, and the documented handlers of S3, CloudWatch and Step Functions."""
