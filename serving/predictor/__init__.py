"""From a customer's features to an answer."""
