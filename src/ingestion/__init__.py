"""What takes objects in: parser, metadata, de-identifier."""
