"""The report figures of homework 8, each with the numbers behind it."""
FIGURES = {}
