"""Tests of homework 4."""
