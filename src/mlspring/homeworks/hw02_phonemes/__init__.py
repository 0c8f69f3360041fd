"""Homework 2: the phoneme of every frame of speech, with windows and with sequence networks."""
