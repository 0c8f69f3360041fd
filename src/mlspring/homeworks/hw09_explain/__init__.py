"""Homework 9: what a network looks at: explanations of a food classifier, and their truth."""
