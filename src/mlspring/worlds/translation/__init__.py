"""Sentence pairs, English and Traditional Chinese, from one grammar of both languages."""
