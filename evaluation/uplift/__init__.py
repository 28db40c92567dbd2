"""Rankings, policies and what they are worth, from arrays."""
