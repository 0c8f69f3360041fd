"""Homework 8: anomaly detection."""
