"""Spoken sentences: text, voices, phones and rooms, from which two worlds are made."""
