"""Homework 5: machine translation."""
