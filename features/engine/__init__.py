"""The engine: streams, windows and sweeps, in one pass."""
