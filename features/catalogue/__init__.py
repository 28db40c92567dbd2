"""The catalogue: one file a table, and what they are put together to."""
