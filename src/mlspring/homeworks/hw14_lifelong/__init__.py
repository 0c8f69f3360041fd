"""Homework 14: life-long learning."""
