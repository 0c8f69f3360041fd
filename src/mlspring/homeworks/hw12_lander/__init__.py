"""Homework 12: reinforcement learning, landing on the moon."""
