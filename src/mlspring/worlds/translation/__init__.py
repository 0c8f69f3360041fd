"""Sentence pairs, English and Traditional Chinese."""
