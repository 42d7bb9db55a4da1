"""What everything uses: the structured log."""
