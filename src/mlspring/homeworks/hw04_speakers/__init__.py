"""Homework 4: who is speaking, by self-attention over a mel spectrogram."""
