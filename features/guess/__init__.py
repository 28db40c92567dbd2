"""Looking at a user's files and guessing the settings."""
