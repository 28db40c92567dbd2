"""Reports: pages, words and charts."""
