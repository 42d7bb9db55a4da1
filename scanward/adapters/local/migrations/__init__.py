"""The history of the tables, one chain a schema, so that on SQLite no migration writes to two files."""
