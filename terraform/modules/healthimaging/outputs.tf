output "datastore_id" {
  description = "Id of the data store."
  value       = jsondecode(aws_cloudcontrolapi_resource.datastore.properties)["DatastoreId"]
}

output "datastore_arn" {
  description = "ARN of the data store."
  value       = jsondecode(aws_cloudcontrolapi_resource.datastore.properties)["DatastoreArn"]
}
