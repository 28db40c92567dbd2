"""Aggregations: what a feature view computes over its windows."""
