# AWS's provider has no resource for a data store, so it goes through the Cloud Control API, whose arguments and answers
# are those of CloudFormation's AWS::HealthImaging::Datastore.
resource "aws_cloudcontrolapi_resource" "datastore" {
  type_name = "AWS::HealthImaging::Datastore"

  desired_state = jsonencode({
    DatastoreName = var.name
    Tags          = var.tags
  })

  # Images live here; scripts/destroy.sh --delete-data overrides this.
  lifecycle {
    prevent_destroy = true
  }
}
