"""Small colour pictures of ten objects: what classifiers learn and what an attack changes."""
