"""What `make` runs beside the tools: set-up, the demo, and the generated blocks of the documents."""
