"""`scanward ingest`: files through the whole line of this machine's store, then one table."""
