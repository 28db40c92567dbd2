"""How many accounts an experiment needs, and how long."""
