"""Raw tables to streams, point-in-time features, labels and the serving snapshot."""
