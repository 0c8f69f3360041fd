"""Homework 6: generative adversarial networks that draw faces."""
