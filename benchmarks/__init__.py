"""Side by side with peers; each prints one JSON line last. Run as ``python -m benchmarks.NAME``."""
