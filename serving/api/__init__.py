"""The REST API: routes, requests, the guard before them, and its description."""
