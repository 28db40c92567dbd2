"""A simulated B2B world: accounts live through months of health, and every table is a trace of that."""
