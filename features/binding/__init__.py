"""From a user's own tables to the canonical ones."""
