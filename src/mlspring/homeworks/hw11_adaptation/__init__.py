"""Homework 11: unsupervised domain adaptation from photos to drawings."""
