"""What hands objects out."""
