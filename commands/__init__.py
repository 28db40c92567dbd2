"""The terminal: one verb a step."""
