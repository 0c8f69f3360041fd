"""Submissions, rules, ranking and points; knows scores, not models."""
