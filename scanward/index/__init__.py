"""What can be asked of what is kept; QIDO-RS and later C-FIND share it. Knows attributes, no database."""
