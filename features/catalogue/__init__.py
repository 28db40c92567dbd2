"""The catalogue: one file a table with all that is known of it, and what they are put together to."""
