"""Learning what an account is worth and how likely it is to leave."""
