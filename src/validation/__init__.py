"""What objects must look like: the metadata models."""
