"""The text half: what a BERT looks at, and what it makes of a word."""
