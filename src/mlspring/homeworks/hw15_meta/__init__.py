"""Homework 15: meta learning, five characters told apart after one drawing of each."""
