"""Torch parts that several homeworks use; a homework reads alone with these names."""
