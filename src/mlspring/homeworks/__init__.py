"""Fifteen islands, one folder each, readable alone; they never import each other."""
