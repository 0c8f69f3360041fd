"""Homework 13: network compression, at most 100,000 parameters."""
