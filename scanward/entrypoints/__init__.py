"""Where the world comes in: command line, HTTP, workers. Doors only: they call the pipeline."""
