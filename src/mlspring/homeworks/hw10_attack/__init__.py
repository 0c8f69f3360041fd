"""Homework 10: adversarial attack on classifiers that nobody shows."""
