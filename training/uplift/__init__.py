"""Learning whom to treat from an experiment."""
