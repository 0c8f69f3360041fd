"""Built-in data sets that we generate, whose truth is known; no torch."""
