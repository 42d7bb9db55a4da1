"""`scanward deidentify`: folders, files and archives through the engine, on one core or a cluster."""
