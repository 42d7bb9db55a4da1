"""The ports on one machine: files, SQLite (or PostgreSQL by URL), a key file."""
