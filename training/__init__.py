"""Tasks, training sets, estimators, baselines, calibration, tuning, tracking and promotion."""
