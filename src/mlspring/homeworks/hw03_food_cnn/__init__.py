"""Homework 3: food image classification with convolutional networks."""
