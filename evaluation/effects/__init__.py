"""Effects of treatments and their intervals, from arrays."""
