"""Models as they are served: boosters, what is done with their predictions, and the files they lie in."""
