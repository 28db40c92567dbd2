"""Metrics, intervals, paired tests and the HTML reports."""
