"""Homework 7: reading comprehension, the answer to a question as a span of a paragraph."""
