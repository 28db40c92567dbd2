"""The BentoML service, its guard, the predictor and batch scoring."""
