"""What runs the steps: Step Functions and its Lambda functions."""
